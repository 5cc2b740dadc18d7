"""Thunderbird: a person's morning at its window; the server says over another connection what came of it."""

from pathlib import Path

from interop import samples
from interop.programs import refusals
from interop.thunderbird.conftest import Thunderbird
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
    thunderbird.call("remove", "grapes")
    assert subjects(account.messages("Trash", least=1)) == ["grapes"]
    account.eventually(lambda messages: subjects(messages) == ["apples", "pears"])

    account.deliver(samples.plain("news"))  # it is told by IDLE
    assert thunderbird.call("rows", 3) == ["apples", "pears", "news"]

    thunderbird.call("makeFolder", "Entwürfe")
    assert "Entw&APw-rfe" in account.mailboxes()

    thunderbird.call("send", friend.address, "Greetings", "Hello,\n.\nGrüße\n")
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
