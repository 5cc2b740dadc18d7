"""Mail from another server: what its verdict does to it, what is put in front, and what may not stay."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace
from ipaddress import IPv4Network
from pathlib import Path as FilePath

import pytest

from mailnode.delivery.accept import Accept
from mailnode.delivery.examined import Authentication
from mailnode.delivery.held import Held, Spool
from mailnode.delivery.transaction import Sender, Transaction
from mailnode.limits import Limits
from mailnode.mailauth.dkim import Verifier
from mailnode.mailauth.dmarc import Dmarc
from mailnode.mailauth.resolver import Resolver
from mailnode.mailauth.spf import Spf
from mailnode.mailauth.verdict import Judges, Verdicts
from mailnode.mailbox.rows import BLOB_CHUNK_OCTETS
from protocols.smtp.envelope import NO_PARAMETERS, Path
from protocols.smtp.reply import Reply
from tests.delivery.memory import House
from tests.delivery.test_accept import CAME
from tests.mailauth.zone import FAILS, Zone

HOST = "mx.here.example"
FORGED = b"Authentication-Results: mx.here.example; dmarc=pass\r\n"
NAMES = {
    "1.2.0.192.in-addr.arpa": {"PTR": ["mx.there.example."]},
    "mx.there.example": {"A": ["192.0.2.1"]},
    "there.example": {"TXT": ['"v=spf1 ip4:192.0.2.1 -all"']},
    "_dmarc.there.example": {"TXT": ['"v=DMARC1\\; p=reject"']},
    "_dmarc.bank.example": {"TXT": ['"v=DMARC1\\; p=reject"']},
    "_dmarc.shop.example": {"TXT": ['"v=DMARC1\\; p=quarantine"']},
    "_dmarc.broken.example": {"TXT": FAILS},
}


def message(author: str, body: bytes = b"body\r\n") -> bytes:
    return b"From: a@%b\r\n%bSubject: hello\r\n\r\n%b" % (author.encode(), FORGED, body)


def authentication(house: House, directory: FilePath, zone: Zone, limits: Limits) -> Authentication:
    clock = house.clock
    resolver = Resolver(zone, clock, limits)
    spf, verifier = Spf(resolver, clock, limits, HOST), Verifier(resolver, clock, limits)
    judges = Judges(resolver, spf, Dmarc(resolver), verifier)
    verdicts = Verdicts(lambda address: judges, limits)
    return Authentication(verdicts, HOST, Spool(directory, limits), lambda recipient: False, False)


def sent(
    house: House,
    directory: FilePath,
    content: bytes,
    recipients: Sequence[str] = ("ann@here.example",),
    rejects: Callable[[str], bool] = lambda recipient: False,
    defers: bool = False,
    limits: Limits | None = None,
    exempt: str = "198.51.100.0/24",
) -> Reply:
    async def work() -> Reply:
        delivery = replace(house.delivery, authserv_ids=frozenset({HOST}))
        told = authentication(house, directory, Zone(NAMES), limits or Limits())
        told = replace(told, rejects=rejects, defers=defers, exempt=(IPv4Network(exempt),))
        accept = Accept(delivery, told)
        transaction = await accept.begin(CAME, Sender(Path(b"zoe@there.example"), NO_PARAMETERS, 0))
        assert isinstance(transaction, Transaction)
        for one in recipients:
            await transaction.recipient(Path(one.encode()))
        for at in range(0, len(content) - 1, 50_000):
            await transaction.write(content[at : min(at + 50_000, len(content) - 1)])
        return await transaction.finish_as_one(content[-1:])

    return asyncio.run(work())


def test_good_mail_is_filed_behind_its_results_and_without_forged_ones(tmp_path: FilePath) -> None:
    house = House()
    assert sent(house, tmp_path, message("there.example")).positive
    (copy,) = house.accounts.ann.copies
    assert copy.name == "INBOX"
    head, _, rest = copy.octets.partition(b"From: ")
    assert [line.partition(b":")[0] for line in head.splitlines() if line[:1].isalpha()] == [
        b"Return-Path",
        b"Authentication-Results",
        b"Received-SPF",
        b"Received",
    ]
    assert b"dmarc=pass" in head and b"(mx.there.example [192.0.2.1])" in head
    assert rest == b"a@there.example\r\nSubject: hello\r\n\r\nbody\r\n"


@pytest.mark.parametrize("author", ["bank.example", "shop.example"])
def test_mail_that_is_not_its_authors_goes_into_junk_whatever_the_tag(
    tmp_path: FilePath, author: str
) -> None:
    house = House()
    assert sent(house, tmp_path, message(author), ["ann+lists@here.example", "bob@here.example"]).positive
    assert [copy.name for each in (house.accounts.ann, house.accounts.bob) for copy in each.copies] == [
        "Junk"
    ] * 2
    assert b"policy.dmarc=quarantine" in house.accounts.ann.copies[0].octets


def test_it_is_refused_where_every_recipient_wants_that(tmp_path: FilePath) -> None:
    house, both = House(), ["ann@here.example", "bob@here.example"]
    refused = sent(house, tmp_path, message("bank.example"), both, rejects=lambda recipient: True)
    assert (refused.code, refused.enhanced) == (550, "5.7.1")
    assert house.accounts.ann.copies == []
    some = sent(house, tmp_path, message("bank.example"), both, rejects=lambda recipient: "ann" in recipient)
    assert some.positive
    assert [copy.name for copy in house.accounts.ann.copies] == ["Junk"]


def test_what_cannot_be_known_is_taken_or_comes_again(tmp_path: FilePath) -> None:
    house = House()
    assert sent(house, tmp_path, message("broken.example")).positive
    assert [copy.name for copy in house.accounts.ann.copies] == ["INBOX"]
    deferred = sent(house, tmp_path, message("broken.example"), defers=True)
    assert (deferred.code, deferred.enhanced) == (451, "4.7.0")


LONG = b"".join(b"%078d\r\n" % number for number in range(3 * BLOB_CHUNK_OCTETS // 80))


def test_a_long_message_that_finds_no_room_to_wait_comes_again(tmp_path: FilePath) -> None:
    house, none = House(), replace(Limits(), spooled_contents_max=0)
    refused = sent(house, tmp_path, message("there.example", LONG), limits=none)
    assert (refused.code, refused.enhanced) == (452, "4.3.1")
    gone = sent(house, tmp_path / "gone", message("there.example", LONG))
    assert (gone.code, gone.enhanced) == (452, "4.3.1")
    assert house.accounts.ann.copies == []


def test_the_files_of_contents_that_were_given_up_are_given_back(tmp_path: FilePath) -> None:
    spool = Spool(tmp_path, replace(Limits(), spooled_contents_max=1))
    for _ in range(3):
        spool.take()  # and let go of
    held = spool.take()
    with pytest.raises(OSError, match="too many"):
        spool.take()
    held.close()


def test_nobody_is_asked_about_mail_that_our_own_pass_on(tmp_path: FilePath) -> None:
    house = House()
    assert sent(house, tmp_path, message("bank.example"), exempt="192.0.2.0/24").positive
    (copy,) = house.accounts.ann.copies
    assert copy.name == "INBOX"
    assert b"Authentication-Results" not in copy.octets


def test_a_long_message_waits_in_a_file_that_has_no_name(tmp_path: FilePath) -> None:
    house = House()
    assert sent(house, tmp_path, message("there.example", LONG)).positive
    stored = house.accounts.ann.uploaded
    assert stored.endswith(b"Subject: hello\r\n\r\n" + LONG)
    assert stored.count(FORGED) == 0
    assert list(tmp_path.iterdir()) == []


def test_content_that_comes_octet_by_octet_is_held_as_one(tmp_path: FilePath) -> None:
    async def work() -> list[bytes]:
        held = Held(Spool(tmp_path, Limits()))
        for number in range(1000):
            await held.write(b"%d" % (number % 10))
        return [piece async for piece in held.octets()]

    assert asyncio.run(work()) == [b"0123456789" * 100]


SIGNED = (
    b"DKIM-Signature: v=1; a=rsa-sha256; d=shop.example; s=s1; h=from; b=AAAA; bh=" + b"A" * 43 + b"=\r\n"
)


@pytest.mark.parametrize("cut", [1, 50, 100_000])
def test_the_dns_is_asked_what_a_header_leads_to_while_the_body_is_under_way(
    tmp_path: FilePath, cut: int
) -> None:
    house, zone = House(), Zone(NAMES)
    begin = SIGNED + message("mail.bank.example", b"")

    async def work() -> None:
        accept = Accept(house.delivery, authentication(house, tmp_path, zone, Limits()))
        transaction = await accept.begin(CAME, Sender(Path(b"zoe@there.example"), NO_PARAMETERS, 0))
        assert isinstance(transaction, Transaction)
        for at in range(0, len(begin), cut):
            assert ("_dmarc.bank.example", "TXT") not in zone.asked
            await transaction.write(begin[at : at + cut])
        for _ in range(20):  # turns of the loop: the zone takes one for an answer
            await asyncio.sleep(0)
        assert {("_dmarc.bank.example", "TXT"), ("s1._domainkey.shop.example", "TXT")} <= set(zone.asked)
        del transaction

    asyncio.run(work())
