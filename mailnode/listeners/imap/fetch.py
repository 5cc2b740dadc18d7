"""FETCH (RFC 9051 §6.4.5): runs of messages through the formatters of protocols.imap.render.

Flags, dates, sizes come from entries; envelopes and structures were rendered when the message was stored;
header fields come from the stored header. Only body sections read octets, a long message's in chunks.
"""

from __future__ import annotations

from array import array
from collections.abc import AsyncIterator

from mailnode.listeners.imap.client import Client
from mailnode.listeners.imap.refusal import Refused
from mailnode.listeners.imap.utf8 import show_utf8
from mailnode.mailbox.ranges import packed
from mailnode.mailbox.rows import FLAGS, MAIL, SEEN, SIZE, longs, words
from mailnode.mailbox.verbs import Account, Expunged, Messages, NotKnown, Unavailable, Want
from mailnode.pb.change_pb2 import Intent, Store
from protocols.imap import response
from protocols.imap.answer import Ok
from protocols.imap.binary import Cut, Encoded, Measure, decoding, is_unknown
from protocols.imap.event import Fetch
from protocols.imap.fetch import Attribute, Plan
from protocols.imap.render import Decoding, PickedHeader, Piece, fetched, pieces, shown
from protocols.imap.section import Range
from protocols.imap.sequence import SAVED, Ranges


async def fetch(client: Client, event: Fetch) -> None:
    selected = client.selected
    ranges = selected.view.ranges(event.numbers, event.by_uid)
    if event.changed_since >= 0:
        await _say_vanished(client, event)
        ranges = await selected.changed_since(ranges, event.changed_since)
    plan = event.plan
    if plan.sets_seen and not selected.read_only and await _set_seen(client, ranges):
        plan = plan.adding(*(item for item in selected.flag_items if item is not Attribute.UID))
    said = array("I")
    async for run in selected.runs(ranges, _want(plan)):
        client.say(event, await selected.renamed())
        said += await _say(client, event, plan, run)
    if len(said) < selected.view.within(ranges):
        said += await _say_departed(client, event, plan, selected.view.missing(ranges, said))
    # A UID that is gone is passed over in silence (RFC 9051 §6.4.9), and its EXPUNGE may be said at once.
    if len(said) < selected.view.within(ranges) and not event.by_uid:
        raise Refused("EXPUNGEISSUED")
    await client.end(event, Ok("Fetched"))


async def _say_vanished(client: Client, event: Fetch) -> None:
    """RFC 7162 §3.2.6."""
    selected = client.selected
    if event.vanished:
        saved = event.numbers is SAVED
        asked = selected.view.saved if saved else event.numbers.resolve(selected.view.last_uid)
        gone = await selected.vanished_since(asked, event.changed_since)
        if gone:
            client.say(event, response.vanished(gone, earlier=True))


async def _say_departed(client: Client, event: Fetch, plan: Plan, ranges: Ranges) -> array[int]:
    """Messages that others have expunged and this client may still ask for (RFC 2180 §4.1.3)."""
    said = array("I")
    async for run in client.selected.departed(ranges, _want(plan)):
        said += await _say(client, event, plan, run)
    return said


async def _set_seen(client: Client, ranges: Ranges) -> bool:
    """Whether any message lacked \\Seen and has it now; while nothing can be written, reads go on."""
    selected = client.selected
    unseen = array("I")
    async for run in selected.runs(ranges, Want.ENTRIES):
        flags = longs(run.entries, FLAGS)
        unseen.extend(uid for uid, bits in zip(run.uids, flags, strict=True) if not bits & SEEN)
    if not unseen:
        return False
    uids = packed(unseen)
    ask = Store(mailbox=selected.mailbox, uids=uids, mode=Store.ADD, flags=SEEN)
    try:
        result = await client.apply(Intent(store=ask))
    except (NotKnown, Unavailable, Refused):
        return False
    selected.answered(result, tuple((r.first, r.last) for r in uids))
    return True


def _want(plan: Plan) -> Want:
    want = Want.ENTRIES
    if plan.needs_forms:
        want |= Want.FORMS
    if plan.needs_mail:
        want |= Want.MAILS
    if plan.needs_head:
        want |= Want.HEADS
    if plan.needs_octets:
        want |= Want.OCTETS
    return want


async def _say(client: Client, event: Fetch, plan: Plan, run: Messages) -> array[int]:
    """Say a run, long messages one by one between the others; gives the UIDs of what was there to be said.

    Raises Refused behind the run where a part of one of them cannot be decoded (RFC 9051 §7.5.2, BINARY).
    """
    selected = client.selected
    if client.utf8 and plan.needs_forms:
        await show_utf8(client.account, plan, run)
    said = run.uids[: run.count]
    unknown = _unknown(plan, run)
    start = 0
    for index in [*sorted({*_long(plan, run), *unknown}), run.count]:
        if start < index:
            client.say(event, fetched(plan, selected.columns(plan, run, start, index), selected.names))
            await client.conversation.drained()
        is_long = index < run.count and index not in unknown
        if is_long and not await _say_long(client, event, plan, run, index):
            said.remove(run.uids[index])
        start = index + 1
    if unknown:
        raise Refused("UNKNOWN-CTE")
    return said


def _unknown(plan: Plan, run: Messages) -> set[int]:
    """The indexes of messages of which a part is asked that cannot be decoded."""
    if not plan.binaries:
        return set()
    return {index for index, mail in enumerate(run.mails) if is_unknown(plan, mail.part)}


async def _say_long(client: Client, event: Fetch, plan: Plan, run: Messages, index: int) -> bool:
    """Say one message whose octets come in chunks; False when they are gone, and nothing was said."""
    selected = client.selected
    mail = longs(run.entries, MAIL)[index]
    said = pieces(plan, selected.columns(plan, run, index, index + 1), 0, selected.names)
    begun = False
    try:
        async for octets in _streamed(client.account, mail, said):
            client.say(event, octets)
            begun = True
            await client.conversation.drained()
    except Expunged:
        if begun:
            raise  # in the middle of a literal there is no way to say so
        return False
    return True


def _long(plan: Plan, run: Messages) -> list[int]:
    """The indexes of messages whose octets are wanted and were left out."""
    if not plan.needs_octets or all(run.octets):
        return []
    sizes = words(run.entries, SIZE)
    return [i for i, octets in enumerate(run.octets) if not octets and sizes[i]]


async def _streamed(account: Account, mail: int, said: list[Piece]) -> AsyncIterator[bytes]:
    """The response of a long message; raises Expunged before its first octet."""
    begun = b""
    for piece in said:
        if isinstance(piece, bytes):
            begun += piece
        elif isinstance(piece, PickedHeader):
            header = account.octets(mail, piece.range.start, piece.range.end)
            yield begun + piece.said(b"".join([chunk async for chunk in header]))
            begun = b""
        elif isinstance(piece, Range):
            async for chunk in account.octets(mail, piece.start, piece.end):
                yield begun + shown(chunk)
                begun = b""
        else:
            async for octets in _decoded(account, mail, piece):
                yield begun + octets
                begun = b""
    yield begun


async def _decoded(account: Account, mail: int, piece: Decoding) -> AsyncIterator[bytes]:
    """Decoded twice rather than held: its size, and whether it holds NUL, are said before it."""
    measure, cut = Measure(piece.item), Cut(piece.item)
    async for octets in _steps(account, mail, piece.part):
        measure.add(octets)
    yield measure.literal()
    async for octets in _steps(account, mail, piece.part):
        yield cut.add(octets)


async def _steps(account: Account, mail: int, part: Encoded) -> AsyncIterator[bytes]:
    steps = decoding(part)
    async for chunk in account.octets(mail, part.range.start, part.range.end):
        yield steps.add(chunk)
    yield steps.rest()
