"""Mail in two copies of which one is wrong: what the rows say of each other tells which."""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import blake2b
from pathlib import Path

import pytest

from mailnode.cluster.log_rows import APART_OCTETS_MIN
from mailnode.mailbox import proof
from mailnode.pb.change_pb2 import Add, Upload
from mailnode.pb.row_pb2 import MailboxRow, MailRow
from mailnode.store import keys
from mailnode.store.keys import Blob, Due, Family, Kind
from tests.cluster.looking import Looking
from tests.mailbox.asks import ACCOUNT, add, create, message, uploaded
from tests.mailbox.test_replicated import Mail

STATE = Family.STATE
BODY = bytes(range(65, 91)) * (APART_OCTETS_MIN // 26 + 1)
CHUNK = 1 << 18


def proven(whole: Add.Message) -> Add.Message:
    whole.mail.checksum = blake2b(whole.octets, digest_size=16).digest()
    whole.forms = b"()\0()\0()\0"
    return whole


@pytest.fixture
def mail() -> Iterator[Mail]:
    mail = Mail()
    mail.ask("a", create("Archive"))
    mail.ask("a", add(proven(message(body=BODY)), proven(message())))
    mail.cluster.pass_time(1)
    yield mail
    mail.cluster.close()


def compared(mail: Mail, tmp_path: Path) -> Looking:
    return Looking(mail.cluster, tmp_path, proof.wrong)


def mails(mail: Mail) -> list[int]:
    start = keys.account_id(ACCOUNT)
    return [
        keys.mail_of(key)
        for key, _ in mail.cluster.nodes["a"].shard.scan(Family.MAIL, start, keys.after(start))
    ]


def octets(mail: Mail, name: str) -> list[bytes]:
    """As a client reads them."""
    account, shard = mail.open(name), mail.cluster.nodes[name].shard
    rows = [
        MailRow.FromString(shard.get(Family.MAIL, keys.mail(ACCOUNT, each)) or b"") for each in mails(mail)
    ]

    async def read() -> list[bytes]:
        return [b"".join([part async for part in account.octets(row.mail, 0, row.size)]) for row in rows]

    reading = mail.cluster.nodes[name].hand.start(read())
    mail.cluster.settle()
    return reading.result()


@pytest.mark.parametrize("name", ["a", "b"])
@pytest.mark.parametrize("family", [Family.BLOB, Family.HEAD, Family.MAIL, Family.FORM])
@pytest.mark.parametrize("is_missing", [True, False])
def test_a_content_that_is_not_what_was_written_is_mended_wherever_it_is(
    mail: Mail, tmp_path: Path, name: str, family: str, is_missing: bool
) -> None:
    if family == Family.MAIL and is_missing and name == "a":
        return  # nothing tells that there was one: the primary's word counts
    first = mails(mail)[0]
    key = keys.blob(ACCOUNT, Blob.MAIL, first, 0) if family == Family.BLOB else keys.mail(ACCOUNT, first)
    shard = mail.cluster.nodes[name].shard
    before = shard.get(family, key)
    assert before is not None
    flipped = before[:-1] + bytes((before[-1] ^ 1,))
    if family == Family.MAIL:
        flipped = b"\xff"
    shard.write([(family, key, None if is_missing else flipped)], sync=True)
    looking = compared(mail, tmp_path)
    found = looking.compare()
    assert (found.differences, found.mended) == (1, 1)
    assert shard.get(family, key) == before and mail.rows("a") == mail.rows("b")
    is_proven = not (family == Family.MAIL and is_missing)
    assert looking.aside(name).exists() != is_proven


def test_a_client_reads_the_mended_message(mail: Mail, tmp_path: Path) -> None:
    sound = octets(mail, "a")
    shard = mail.cluster.nodes["a"].shard
    shard.write([(Family.BLOB, keys.blob(ACCOUNT, Blob.MAIL, mails(mail)[0], 0), BODY)], sync=True)
    assert octets(mail, "a") != sound
    assert compared(mail, tmp_path).compare().mended == 1
    assert octets(mail, "a") == sound


def test_of_a_content_in_chunks_the_one_that_is_wrong_is_mended(mail: Mail, tmp_path: Path) -> None:
    upload = mail.clock.microseconds
    body = b"z" * CHUNK
    whole = proven(message(body=body)).octets
    for number, start in enumerate(range(0, len(whole), CHUNK)):
        mail.ask("a", Upload(upload=upload, chunk=number, octets=whole[start : start + CHUNK]))
    named = uploaded(proven(message(body=body)), upload)
    named.mail.checksum = blake2b(whole, digest_size=16).digest()
    mail.ask("a", Add(messages=[named]))
    mail.cluster.pass_time(1)
    key = keys.blob(ACCOUNT, Blob.UPLOAD, upload, 0)
    shard = mail.cluster.nodes["a"].shard
    before = shard.get(Family.BLOB, key)
    shard.write([(Family.BLOB, key, b"y" * CHUNK)], sync=True)
    assert compared(mail, tmp_path).compare().mended == 1
    assert shard.get(Family.BLOB, key) == before


def test_an_upload_that_nothing_names_yet_is_each_copys_own(mail: Mail, tmp_path: Path) -> None:
    upload = mail.clock.microseconds
    mail.ask("a", Upload(upload=upload, chunk=0, octets=b"z" * CHUNK))
    mail.cluster.pass_time(1)
    swept = mail.cluster.nodes["b"].shard
    swept.write(
        [
            (Family.BLOB, keys.blob(ACCOUNT, Blob.UPLOAD, upload, 0), None),
            (Family.DUE, keys.due(ACCOUNT, Due.UPLOAD, upload, b""), None),
        ],
        sync=True,
    )
    assert compared(mail, tmp_path).compare().differences == 0


def test_rows_of_the_state_that_were_read_wrong_are_read_again(mail: Mail, tmp_path: Path) -> None:
    key = keys.mailbox(ACCOUNT, 2)
    shard = mail.cluster.nodes["a"].shard
    assert "Archive" in (MailboxRow.FromString(shard.get(STATE, key) or b"")).name
    shard.write([(STATE, key, b"\xff\xff")], sync=True)
    before = mail.open("a")
    assert compared(mail, tmp_path).compare().mended == 1
    mail.cluster.pass_time(1)
    assert mail.open("a") is not before
    assert mail.ask("a", add(message())).added[0].uid == 3
    mail.cluster.pass_time(1)
    assert mail.rows("a") == mail.rows("b")


def test_a_row_that_parses_as_no_row_is_wrong() -> None:
    shard = Mail().cluster.nodes["a"].shard
    key = keys.state(ACCOUNT, Kind.ACCOUNT)
    shard.write([(STATE, key, b"\xff")], sync=True)
    assert proof.wrong(shard.view(), STATE, b"short")
    assert proof.wrong(shard.view(), STATE, key) and not proof.wrong(shard.view(), STATE, key + b"x")
