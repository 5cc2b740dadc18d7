"""What an import does with what the node answers."""

import asyncio
from pathlib import Path

import pytest

from mailnode.migration.arrival import Arrival, Counts
from mailnode.migration.maildir import MaildirSource
from mailnode.migration.source import SourceError
from mailnode.pb import admin_pb2 as pb
from mailnode.pb.row_pb2 import MailboxRow


async def refused(request: pb.ImportRequest, reason: str) -> pb.ImportAnswer:
    answer = pb.ImportAnswer(upload=1)
    if request.address:
        answer.account.message_octets_max = 1000
        answer.account.mailboxes.add(name="INBOX", row=MailboxRow(mailbox=1))
    elif request.HasField("known"):
        answer.known = bytes(len(request.known.origins))
    else:
        answer.result.refused = reason
    return answer


@pytest.mark.parametrize(
    ("reason", "said"), [("DISKFULL", "disk is nearly full"), ("UNAVAILABLE", "too much")]
)
def test_what_passes_ends_an_import_and_fails_no_message(tmp_path: Path, reason: str, said: str) -> None:
    for name in ("cur", "new"):
        (tmp_path / name).mkdir()
    (tmp_path / "new" / "1.a.h").write_bytes(b"A: 1\n\nx\n")
    source, counts = MaildirSource(tmp_path, "", ""), Counts()
    arrival = Arrival(lambda request: refused(request, reason), source, "", (), False, counts)
    with pytest.raises(SourceError, match=said):
        asyncio.run(arrival.run("alice@example.test"))
    assert counts.failed == []
