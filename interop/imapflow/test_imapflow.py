"""ImapFlow, by which programs of Node.js read their mail."""

import base64
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from interop import samples
from interop.programs import cached, program, refusals, run, succeeded
from interop.witness import Account
from tests.wire.server import HOST

SCRIPT = Path(__file__).with_name("session.js")
STANDARD = {"INBOX": "\\Inbox", "Drafts": "\\Drafts", "Sent": "\\Sent"} | {
    "Junk": "\\Junk", "Trash": "\\Trash", "Archive": "\\Archive"
}  # fmt: skip
TLS: Mapping[str, Mapping[str, object]] = {
    "plain": {"secure": False, "doSTARTTLS": False},
    "starttls": {"secure": False, "doSTARTTLS": True},
    "tls": {"secure": True},
}
ALL = "1:*"
UIDS = {"uid": True}


@dataclass(frozen=True, slots=True)
class Flow:
    """What the steps gave, and what was said on the wire."""

    opened: list[Mapping[str, Any]]
    results: list[Mapping[str, Any]]
    dialogue: list[str]

    def succeeded(self) -> list[Any]:
        """What they gave; none failed and nothing was refused."""
        assert all("error" not in result for result in self.results), (self.results, self.dialogue)
        assert refusals("\n".join(self.dialogue).encode()) == []
        return [result["value"] for result in self.results]


Steps = Callable[..., Flow]


@pytest.fixture
def flow(account: Account, home: Path) -> Steps:
    """flow([method, argument, ...], ..., tls="tls", sessions=1): a step may begin with a session's number."""
    node, package = program("node"), cached("imapflow/node_modules/imapflow")

    def call(*steps: list[object], tls: str = "tls", sessions: int = 1, **options: object) -> Flow:
        service = "imaps" if tls == "tls" else "imap"
        trust = {"ca": account.server.certificate.read_text()}
        target = {"host": HOST, "port": account.server.port(service), "tls": trust}
        auth = {"user": account.address, "pass": account.password}
        opened = [[at, "connect"] for at in range(sessions)]
        numbered = [step if isinstance(step[0], int) else [0, *step] for step in steps]
        closed = [[at, "logout"] for at in range(sessions)]
        asked = {
            "sessions": [{**target, **TLS[tls], "auth": auth, **options}] * sessions,
            "steps": [*opened, *numbered, *closed],
        }
        said = json.loads(succeeded(run([node, str(SCRIPT), str(package)], home, json.dumps(asked).encode())))
        results, last = said["results"], len(said["results"]) - sessions
        return Flow(results[:sessions], results[sessions:last], said["dialogue"])

    return call


def literal(octets: bytes) -> dict[str, str]:
    return {"base64": base64.b64encode(octets).decode()}


def octets(value: Mapping[str, str]) -> bytes:
    return base64.b64decode(value["base64"])


@pytest.mark.parametrize("tls", TLS)
@pytest.mark.parametrize("method", ["", "AUTH=PLAIN", "AUTH=LOGIN", "LOGIN"])
def test_what_is_appended_is_fetched_octet_for_octet(
    flow: Steps, account: Account, tls: str, method: str
) -> None:
    message = samples.plain()
    auth = {"user": account.address, "pass": account.password} | ({"loginMethod": method} if method else {})
    appended, opened, fetched, downloaded = flow(
        ["append", "INBOX", literal(message), ["\\Seen", "$Work"], "2020-02-01T03:04:05Z"],
        ["mailboxOpen", "INBOX"],
        ["fetchAll", ALL, {"uid": True, "flags": True, "internalDate": True, "size": True, "source": True}],
        ["downloaded", "1"],
        tls=tls,
        auth=auth,
    ).succeeded()
    assert (appended["destination"], appended["uid"]) == ("INBOX", 1)
    assert opened["uidValidity"] == appended["uidValidity"]
    (one,) = fetched
    assert octets(one["source"]) == octets(downloaded["content"]) == message == account.octets()[0]
    assert (one["uid"], one["size"], one["internalDate"]) == (1, len(message), "2020-02-01T03:04:05.000Z")
    assert set(one["flags"]) - {"\\Recent"} == {"\\Seen", "$Work"}


def test_the_second_revision_is_spoken_deflated_and_parts_come_decoded(flow: Steps, account: Account) -> None:
    """By itself: COMPRESS, ENABLE IMAP4rev2, FETCH BINARY. Other sessions say the same names in UTF-7."""
    message = samples.large(1000)
    account.append(message)
    said = flow(
        ["mailboxCreate", ["Entwürfe", "日本"]],
        ["mailboxOpen", "Entwürfe/日本"],
        ["mailboxOpen", "INBOX"],
        ["downloaded", "1", "2"],
        ["search", {"all": True}],
        ["facts"],
    )
    created, opened, _, part, found, facts = said.succeeded()
    assert created["path"] == opened["path"] == "Entwürfe/日本"
    assert found == [1]
    assert {"IMAP4REV2"} <= set(facts["enabled"])
    dialogue = "\n".join(said.dialogue)
    assert "COMPRESS DEFLATE" in dialogue
    assert "* ESEARCH" in dialogue
    assert "BINARY" in dialogue
    encoded = message.partition(b"base64\r\n\r\n")[2].removesuffix(b"--b--\r\n")
    assert octets(part["content"]) == base64.b64decode(encoded)


def test_a_wrong_password_is_told_as_such(flow: Steps, account: Account) -> None:
    auth = {"user": account.address, "pass": "wrong"}
    (opened,) = flow(auth=auth).opened
    assert opened["error"]["authenticationFailed"]
    assert opened["error"]["serverResponseCode"] == "AUTHENTICATIONFAILED"


def test_mailboxes_are_listed_with_their_use_and_counts(flow: Steps, account: Account) -> None:
    account.append(samples.plain(), "Archive")
    (listed,) = flow(["list", {"statusQuery": {"messages": True, "unseen": True}}]).succeeded()
    assert {each["path"]: each["specialUse"] for each in listed} == STANDARD
    assert all(each["subscribed"] for each in listed)
    counts = {each["path"]: (each["status"]["messages"], each["status"]["unseen"]) for each in listed}
    assert counts == dict.fromkeys(STANDARD, (0, 0)) | {"Archive": (1, 1)}


def test_mailboxes_are_made_renamed_subscribed_and_deleted(flow: Steps, account: Account) -> None:
    created, renamed, *_, before, _, after = flow(
        ["mailboxCreate", ["Entwürfe", "2026 & later"]],
        ["mailboxRename", "Entwürfe", "你好"],
        ["mailboxUnsubscribe", "你好/2026 & later"],
        ["mailboxSubscribe", "你好/2026 & later"],
        ["list"],
        ["mailboxDelete", "你好/2026 & later"],
        ["list"],
    ).succeeded()
    assert created["created"] and created["path"] == "Entwürfe/2026 & later"
    assert renamed["newPath"] == "你好"
    names, left = ({each["path"] for each in listed} - set(STANDARD) for listed in (before, after))
    assert names == {"你好", "你好/2026 & later"}
    assert left == {"你好"}


def test_every_field_of_a_message_is_parsed(flow: Steps, account: Account) -> None:
    account.append(samples.large(1000))
    _, (one,), part, parts = flow(
        ["mailboxOpen", "INBOX", {"readOnly": True}],
        [
            "fetchAll",
            ALL,
            {"envelope": True, "bodyStructure": True, "headers": ["subject"], "threadId": True},
        ],
        ["downloaded", "1", "1"],
        ["fetchOne", "*", {"bodyParts": ["2.mime", "1", "text"]}],
    ).succeeded()
    envelope, structure = one["envelope"], one["bodyStructure"]
    assert envelope["subject"] == "Large"
    assert envelope["from"] == [{"name": "Sender Name", "address": "sender@client.example.net"}]
    assert envelope["date"] == "2026-11-24T09:00:00.000Z"
    assert octets(one["headers"]) == b"Subject: Large\r\n\r\n"
    text, blob = structure["childNodes"]
    assert (structure["type"], text["type"], blob["type"]) == (
        "multipart/mixed", "text/plain", "application/octet-stream"
    )  # fmt: skip
    assert (blob["encoding"], blob["parameters"]) == ("base64", {"name": "blob.bin"})
    assert octets(part["content"]) == b"See the attachment."
    assert octets(parts["bodyParts"]["2.mime"]).startswith(b"Content-Type: application/octet-stream")


def test_a_large_message_is_downloaded_in_pieces(flow: Steps, account: Account) -> None:
    message = samples.large(1_500_000)
    account.append(message)
    _, downloaded = flow(["mailboxOpen", "INBOX"], ["downloaded", "1", None, UIDS]).succeeded()
    assert octets(downloaded["content"]) == message


def test_flags_are_added_removed_and_set(flow: Steps, account: Account) -> None:
    for about in ("one", "two"):
        account.append(samples.plain(about), flags="(\\Answered)")
    flow(
        ["mailboxOpen", "INBOX"],
        ["messageFlagsAdd", ALL, ["\\Flagged", "Later"]],
        ["messageFlagsRemove", "2", ["\\Answered"], UIDS],
        ["messageFlagsSet", {"subject": "one"}, ["\\Seen"]],
        ["setFlagColor", "2", "green"],
    ).succeeded()
    assert [message.flags for message in account.messages()] == [
        {"\\Seen"}, {"\\Flagged", "Later", "$MailFlagBit0", "$MailFlagBit1"}
    ]  # fmt: skip


def test_messages_are_copied_moved_and_deleted(flow: Steps, account: Account) -> None:
    messages = [samples.plain(str(number)) for number in range(5)]
    for message in messages:
        account.append(message)
    _, copied, moved, deleted, events = flow(
        ["mailboxOpen", "INBOX"],
        ["messageCopy", "1:2", "Archive"],
        ["messageMove", "2,4", "Trash", UIDS],
        ["messageDelete", "5", UIDS],
        ["event", "expunge"],
    ).succeeded()
    assert copied["uidMap"] == {"1": 1, "2": 2}
    assert moved["uidMap"] == {"2": 1, "4": 2}
    assert deleted and events["seq"] == 2
    assert account.octets() == [messages[0], messages[2]]
    assert account.octets("Trash") == [messages[1], messages[3]]
    assert account.octets("Archive") == messages[:2]


def test_a_missing_mailbox_is_made_on_the_hint_of_the_refusal(flow: Steps, account: Account) -> None:
    account.append(samples.plain())
    _, refused, created, moved = flow(
        ["mailboxOpen", "INBOX"],
        ["messageMove", ALL, "Projects"],
        ["mailboxCreate", "Projects"],
        ["messageMove", ALL, "Projects"],
    ).results
    assert refused["value"] is False
    assert created["value"]["created"] and moved["value"]["uidMap"] == {"1": 1}


def test_searches_find_what_they_should(flow: Steps, account: Account) -> None:
    account.append(samples.plain("=?utf-8?q?Gr=C3=BC=C3=9Fe?="), flags="(\\Seen)")
    account.append(samples.plain("pears"), flags="(\\Flagged Work)")
    account.append(samples.plain("plums"))
    queries: list[tuple[dict[str, object], list[int]]] = [
        ({"all": True}, [1, 2, 3]),
        ({"subject": "GRÜ"}, [1]),
        ({"body": "grüße", "from": "sender"}, [1, 2, 3]),
        ({"or": [{"seen": True}, {"flagged": True}]}, [1, 2]),
        ({"not": {"keyword": "Work"}}, [1, 3]),
        ({"uid": "2:*", "unKeyword": "Work"}, [3]),
        ({"sentOn": "2026-11-24", "larger": 100, "header": {"Message-ID": ""}}, [1, 2, 3]),
        ({"since": "2037-01-01"}, []),
    ]
    _, *found = flow(["mailboxOpen", "INBOX"], *(["search", query, UIDS] for query, _ in queries)).succeeded()
    assert found == [expected for _, expected in queries]


def test_esearch_gives_what_was_asked_for(flow: Steps, account: Account) -> None:
    for _ in range(3):
        account.append(samples.plain())
    returned = {"returnOptions": ["MIN", "MAX", "COUNT", "ALL"], **UIDS}
    _, found = flow(["mailboxOpen", "INBOX"], ["search", {"seen": False}, returned]).succeeded()
    assert found == {"min": 1, "max": 3, "count": 3, "all": "1:3"}


def test_idle_tells_what_another_session_does(flow: Steps, account: Account) -> None:
    account.append(samples.plain())
    values = flow(
        [0, "mailboxOpen", "INBOX"],
        [0, "beginIdle"],
        [1, "append", "INBOX", literal(samples.plain())],
        [0, "event", "exists"],
        [1, "mailboxOpen", "INBOX"],
        [1, "messageFlagsAdd", "1", ["\\Flagged"]],
        [0, "event", "flags"],
        [1, "messageDelete", "1"],
        [0, "event", "expunge"],
        [0, "noop"],
        sessions=2,
    ).succeeded()
    exists, flags, expunge = values[3], values[6], values[8]
    assert (exists["prevCount"], exists["count"]) == (1, 2)
    assert flags["seq"] == 1 and "\\Flagged" in flags["flags"]
    assert expunge["seq"] == 1
