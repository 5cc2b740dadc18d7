"""What cannot be read is named, and all else goes out."""

import asyncio
from collections.abc import AsyncIterator
from hashlib import blake2b
from pathlib import Path
from typing import Any

import pytest

from mailnode.admin import exporting
from mailnode.admin.operator import answers
from mailnode.admin.refusal import Refusal
from mailnode.mailbox.rows import BLOB_CHUNK_OCTETS, SEEN
from mailnode.mailbox.verbs import Account, NotKnown, Unavailable
from mailnode.migration.departure import Counts, Departure
from mailnode.migration.maildir_target import MaildirTarget
from mailnode.pb import admin_pb2 as pb
from mailnode.pb.change_pb2 import Add, Intent, Upload
from mailnode.store import keys
from mailnode.store.keys import Blob, Family
from tests.mailbox.house import ACCOUNT, Ticking, add, create, opened
from tests.store.faulty_shard import FaultyShard

LONG = b"Subject: long\r\n\r\n" + b"x" * (2 * BLOB_CHUNK_OCTETS)


def long_message(upload: int) -> Add.Message:
    made = add("INBOX", b"long", keywords=("work",))
    made.mail.size, made.mail.upload, made.mail.header = len(LONG), upload, 17
    made.octets, made.head = b"", LONG[:17]
    return made


async def filled(account: Account) -> list[int]:
    """UIDs 1 to 6, of which 3 and 5 are long: their mails."""
    await account.apply(create())
    for upload in (2, 4):
        for chunk in range(3):
            start = chunk * BLOB_CHUNK_OCTETS
            octets = LONG[start : start + BLOB_CHUNK_OCTETS]
            await account.apply(Intent(upload=Upload(upload=upload, chunk=chunk, octets=octets)))
    messages = [add("INBOX", b"%d" % number, SEEN) for number in range(4)]
    messages[2:2] = [long_message(2)]
    messages[4:4] = [long_message(4)]
    for message in messages:
        message.mail.checksum = blake2b(message.octets or LONG, digest_size=16).digest()
    result = await account.apply(Intent(add=Add(messages=messages)))
    return [added.mail for added in result.added]


def test_an_export_names_what_cannot_be_read_and_goes_on(tmp_path: Path) -> None:
    shard = FaultyShard()

    async def scenario() -> tuple[dict[int, pb.ExportAnswer.Message], Counts]:
        with opened(shard, Ticking()) as (accounts, _):
            account = await accounts.open(ACCOUNT)
            mails = await filled(account)
            lost = [keys.blob(ACCOUNT, Blob.MAIL, mails[1], 0), keys.blob(ACCOUNT, Blob.UPLOAD, 2, 1)]
            lost.append(keys.blob(ACCOUNT, Blob.MAIL, mails[5], 0))
            shard.write([(Family.BLOB, key, None) for key in lost], sync=True)
            row = (await account.mailboxes()).named("INBOX")
            assert row is not None
            found = {}
            async for answer in exporting.messages(account, row, ()):
                found.update({message.uid: message for message in answer.messages})

            async def export(request: pb.ExportRequest):  # type: ignore[no-untyped-def]
                if not request.mailbox:
                    yield await exporting.listed(account)
                    return
                async for answer in exporting.messages(account, row, request.present):
                    yield answer

            counts = Counts()
            leaving = Departure(export, "a@b", MaildirTarget(tmp_path, True), ["INBOX"], counts)
            await leaving.run(await leaving.mailboxes())
            return found, counts

    found, counts = asyncio.run(scenario())
    assert sorted(found) == [1, 2, 3, 4, 5, 6]
    assert [uid for uid, message in found.items() if message.unreadable] == [2, 3, 6]
    assert [each.message for each in counts.failed] == ["UID 2", "UID 3", "UID 6"]
    sizes = [path.stat().st_size for path in (tmp_path / "cur").iterdir()]
    assert counts.exported == len(sizes) == 3 and max(sizes) == len(LONG)
    uids = (tmp_path / "dovecot-uidlist").read_text().splitlines()[1:]
    assert [line.split()[0] for line in uids] == ["1", "4", "5"]


@pytest.mark.parametrize("error", [NotKnown(), Unavailable("nobody leads it")])
def test_an_account_that_cannot_be_asked_now_ends_an_export_with_words_for_who_asked(
    error: Exception,
) -> None:
    class Away:
        async def AccountExport(self, request: pb.ExportRequest) -> AsyncIterator[pb.ExportAnswer]:
            yield pb.ExportAnswer()
            raise error

    async def scenario() -> int:
        operator: Any = Away()
        count = 0
        with pytest.raises(Refusal, match="try again"):
            async for _ in answers(operator, "AccountExport", pb.ExportRequest()):
                count += 1
        return count

    assert asyncio.run(scenario()) == 1
