"""SELECT, EXAMINE, CLOSE, UNSELECT (RFC 9051 §6.3.2-3, §6.4.1-2)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import suppress

from mailnode.listeners.imap.client import Client
from mailnode.listeners.imap.mailboxes import listed
from mailnode.listeners.imap.refusal import Refused
from mailnode.listeners.imap.selected import Selected
from mailnode.mailbox.verbs import ALL_UIDS, Messages, Want
from mailnode.pb.change_pb2 import Expunge, Intent, UidRange
from mailnode.pb.row_pb2 import MailboxRow
from protocols.imap import response
from protocols.imap.answer import Ok
from protocols.imap.event import Close, Select, Unselect
from protocols.imap.fetch import Plan
from protocols.imap.resync import Known
from protocols.imap.sequence import NUMBER_MAX, common
from protocols.imap.view import View


async def select(client: Client, event: Select) -> None:
    if client.selection is not None:
        client.deselect()
        client.say(event, response.ok("CLOSED", "What follows is of another mailbox"))
    row = await client.mailbox(event.mailbox, "NONEXISTENT")
    run = await _uids(client, row)
    watch = await client.account.watch(run.position, row.mailbox)
    view = View(run.uids, run.count)
    selected = Selected(client.account, row, view, watch, event.examine, client.enabled)
    try:
        await selected.claim_recent()
    except Refused:
        selected.close()
        raise
    client.selection = selected
    client.say(event, response.selected(_told(selected, run, await _listed(client, event))))
    if event.known is not None and event.known.uid_validity == row.uid_validity:
        await client.say_all(event, _resynchronised(selected, event.known))
    client.say(event, Ok("Selected", "READ-ONLY" if event.examine else "READ-WRITE"))


async def _resynchronised(selected: Selected, known: Known) -> AsyncIterator[bytes]:
    """What has happened since the client was here to what it knows: expunges, then flags (RFC 7162
    §3.2.5.1)."""
    view = selected.view
    asked = known.asked(selected.row.uid_next)
    unsure = common(asked, ((known.matched(view.uids[: view.count]) + 1, NUMBER_MAX),))
    gone = await selected.vanished_since(unsure, known.modseq)
    if gone:
        yield response.vanished(gone, earlier=True)
    changed = await selected.changed_since(common(asked, ((1, view.last_uid),)), known.modseq)
    async for piece in selected.told(changed, Plan(selected.flag_items)):
        yield piece


async def _uids(client: Client, row: MailboxRow) -> Messages:
    try:
        return await anext(client.account.messages(row.mailbox, ALL_UIDS, Want.UIDS))
    except KeyError:
        raise Refused("NONEXISTENT") from None


async def _listed(client: Client, event: Select) -> bytes:
    """The mailbox as LIST says it: IMAP4rev2 asks for it (RFC 9051 §6.3.2)."""
    if not client.rev2:
        return b""
    return listed(client, await client.account.mailboxes(), event.mailbox, event.spelled)


def _told(selected: Selected, run: Messages, listed: bytes) -> response.Selected:
    row, view = selected.row, selected.view
    return response.Selected(
        flags=selected.flags(),
        permanent_flags=selected.permanent_flags(),
        more_keywords=not selected.read_only and selected.has_room_for_keywords(),
        exists=view.count,
        recent=-1 if selected.rev2 else view.within(view.recent),
        first_unseen=view.number(run.first_unseen) if run.first_unseen and not selected.rev2 else 0,
        listed=listed,
        uid_validity=row.uid_validity,
        uid_next=max(row.uid_next, view.last_uid + 1),
        highest_modseq=row.highest_modseq,
        mailbox_id=row.mailbox_id,
    )


async def close(client: Client, event: Close) -> None:
    """Expunges without saying so, and only what SELECT gave the right to."""
    selected = client.selected
    if not selected.read_only:
        everything = [UidRange(first=1, last=0xFFFFFFFF)]
        with suppress(Refused):  # it was deleted: nothing is left to expunge
            await client.apply(Intent(expunge=Expunge(mailbox=selected.mailbox, uids=everything)))
    client.deselect()
    client.say(event, Ok("Closed"))


async def unselect(client: Client, event: Unselect) -> None:
    client.deselect()
    client.say(event, Ok("Unselected"))
