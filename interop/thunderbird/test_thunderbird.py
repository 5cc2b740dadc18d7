"""Thunderbird: a person's morning at its window; the server says over another connection what came of it."""

import email
import email.policy
from pathlib import Path

import pytest

from interop import samples
from interop.programs import refusals
from interop.thunderbird.conftest import WAYS, Thunderbird
from interop.thunderbird.desktop import Desktop
from interop.witness import Account
from tests.wire.fetched import Fetched

SUBJECTS = ["apples", "pears", "plums", "grapes"]
STANDARD = {"INBOX", "Drafts", "Sent", "Junk", "Trash", "Archive"}


def subject(message: Fetched) -> str:
    head = message.items[b"BODY[]"].partition(b"\r\n\r\n")[0]
    (line,) = [line for line in head.split(b"\r\n") if line.startswith(b"Subject: ")]
    return line.removeprefix(b"Subject: ").decode()


def subjects(messages: list[Fetched]) -> list[str]:
    return [subject(message) for message in messages]


def flags_become(account: Account, about: str, flags: set[str]) -> None:
    account.eventually(
        lambda messages: any(subject(each) == about and each.flags == flags for each in messages)
    )


@pytest.mark.parametrize("thunderbird", WAYS, indirect=True)
def test_mail_is_read_marked_filed_deleted_and_sent(
    thunderbird: Thunderbird, account: Account, friend: Account, screen: Desktop, tmp_path: Path
) -> None:
    for about in SUBJECTS:
        account.append(samples.plain(about))
    assert thunderbird.call("openFolder", "INBOX", 4) == SUBJECTS
    assert set(thunderbird.call("folders", len(STANDARD))) == STANDARD

    shown = thunderbird.call("read", "apples")
    assert ".\n..two dots\n.one dot, grüße, 你好\n\tTab\n" in shown
    flags_become(account, "apples", {"\\Seen"})

    thunderbird.call("act", "pears", "cmd_markAsFlagged")
    flags_become(account, "pears", {"\\Seen", "\\Flagged"})
    thunderbird.call("act", "pears", "cmd_markAsUnread")
    flags_become(account, "pears", {"\\Flagged"})
    thunderbird.call("act", "pears", "cmd_markAsRead")
    flags_become(account, "pears", {"\\Seen", "\\Flagged"})
    thunderbird.call("act", "pears", "cmd_tag1")
    flags_become(account, "pears", {"\\Seen", "\\Flagged", "$label1"})

    thunderbird.call("move", "plums", "Archive")
    assert subjects(account.messages("Archive", least=1)) == ["plums"]
    thunderbird.settle()
    thunderbird.call("remove", "grapes")
    assert subjects(account.messages("Trash", least=1)) == ["grapes"]
    account.eventually(lambda messages: subjects(messages) == ["apples", "pears"])

    thunderbird.settle()
    account.deliver(samples.plain("news"))  # it is told by IDLE
    assert thunderbird.call("rows", 3) == ["apples", "pears", "news"]

    thunderbird.call("makeFolder", "Entwürfe")
    assert "Entw&APw-rfe" in account.mailboxes()

    thunderbird.call("send", {"to": friend.address, "subject": "Greetings", "body": "Hello,\n.\nGrüße\n"})
    (arrived,) = friend.messages(least=1)
    (kept,) = account.messages("Sent", least=1)
    assert subject(arrived) == subject(kept) == "Greetings"
    for message in (arrived, kept):
        assert "\r\n\r\nHello,\r\n.\r\nGrüße\r\n".encode() in message.items[b"BODY[]"]

    picture = tmp_path / "thunderbird.png"
    screen.picture(picture)
    print(f"what was on the screen: {picture}")
    assert thunderbird.call("otherWindows") == []
    assert refusals(thunderbird.dialogue()) == []
    thunderbird.stop()


def test_mail_is_answered_forwarded_archived_and_drafted(
    thunderbird: Thunderbird, account: Account, friend: Account, home: Path
) -> None:
    for about in SUBJECTS:
        message = samples.plain(about, to=account.address)
        account.append(message.replace(b"sender@client.example.net", friend.address.encode(), 1))
    assert thunderbird.call("openFolder", "INBOX", 4) == SUBJECTS
    thunderbird.call("folders", len(STANDARD))

    thunderbird.call("respond", "apples", "cmd_replySender")
    flags_become(account, "apples", {"\\Seen", "\\Answered"})
    thunderbird.call("respond", "apples", "cmd_forwardInline", friend.address)
    flags_become(account, "apples", {"\\Seen", "\\Answered", "$Forwarded"})
    answer, forwarded = friend.messages(least=2)
    assert (subject(answer), subject(forwarded)) == ("Re: apples", "Fwd: apples")
    assert "grüße, 你好".encode() in forwarded.items[b"BODY[]"]

    thunderbird.call("act", "pears", "cmd_markAsJunk")
    account.eventually(lambda messages: any("Junk" in each.flags for each in messages))

    thunderbird.call("act", "plums", "cmd_archive")
    account.eventually(lambda messages: "plums" not in subjects(messages))
    (year,) = account.mailboxes() - STANDARD
    assert year.startswith("Archive/") and subjects(account.messages(year, least=1)) == ["plums"]
    thunderbird.settle()

    blob = home / "größe.bin"
    blob.write_bytes(bytes(range(256)) * 500)
    attached = {"to": friend.address, "subject": "Blob", "body": "See there.", "file": str(blob)}
    thunderbird.call("send", attached)
    *_, arrived = friend.octets(least=3)
    (attachment,) = email.message_from_bytes(arrived, policy=email.policy.default).iter_attachments()
    assert (attachment.get_filename(), attachment.get_content()) == (blob.name, blob.read_bytes())

    thunderbird.call("saveDraft", {"to": friend.address, "subject": "Later", "body": "Not yet"})
    (draft,) = account.messages("Drafts", least=1)
    assert subject(draft) == "Later" and "\\Draft" in draft.flags

    thunderbird.call("makeFolder", "Old name")
    thunderbird.call("renameFolder", "Old name", "New name")
    assert "New name" in account.mailboxes()
    thunderbird.call("removeFolder", "New name")
    assert "Trash/New name" in account.mailboxes()
    thunderbird.settle()
    thunderbird.call("remove", "grapes")
    account.messages("Trash", least=1)
    thunderbird.call("emptyTrash")
    account.eventually(lambda messages: not messages, "Trash")

    assert thunderbird.call("otherWindows") == []
    assert refusals(thunderbird.dialogue()) == []
    thunderbird.stop()
