"""What was expunged comes back to where it was, some thousand messages a change."""

from __future__ import annotations

from collections.abc import Iterator

from mailnode.mailbox.names import canonical_name
from mailnode.mailbox.verbs import Account, Gone, NotKnown
from mailnode.pb.change_pb2 import Intent, Undelete


async def undelete(account: Account, name: str, since_microseconds: int, entries_max: int) -> int:
    """Of one mailbox, by the name it has or had, or ("") of all, what was expunged since then: how many
    messages came back. Raises NotKnown; asked again it goes on."""
    name = canonical_name(name)
    mailbox = (await account.mailboxes()).names.get(name, 0)
    asked = [
        gone
        for gone in await account.expunged()
        if gone.time_microseconds >= since_microseconds
        and (not name or gone.name == name or gone.mailbox == mailbox)
    ]
    messages = 0
    for keys in _parts(asked, entries_max):
        result = await account.apply(Intent(undelete=Undelete(expunged=keys)))
        if result.refused:
            raise NotKnown
        messages += result.undeleted
    return messages


def _parts(asked: list[Gone], entries_max: int) -> Iterator[list[bytes]]:
    part: list[bytes] = []
    messages = 0
    for gone in asked:
        if part and messages + gone.messages > entries_max:
            yield part
            part, messages = [], 0
        part.append(gone.key)
        messages += gone.messages
    if part:
        yield part
