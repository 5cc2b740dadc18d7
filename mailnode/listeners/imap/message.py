"""STORE, COPY, MOVE, EXPUNGE and SEARCH: RFC 9051 §6.4.3-9."""

from __future__ import annotations

from array import array
from bisect import bisect_right

from mailnode.listeners.imap.client import Client
from mailnode.listeners.imap.key import stored_key
from mailnode.listeners.imap.refusal import Refused
from mailnode.listeners.imap.selected import Selected
from mailnode.mailbox.rows import MODIFIED, longs
from mailnode.mailbox.verbs import ALL_UIDS, UidRanges, Want
from mailnode.pb import change_pb2
from mailnode.pb.change_pb2 import Intent, Result, UidRange
from protocols.imap import response
from protocols.imap.answer import No, Ok
from protocols.imap.event import Copy, Expunge, Move, Search, Store, StoreMode
from protocols.imap.fetch import Attribute, Plan
from protocols.imap.flags import SYSTEM
from protocols.imap.search import Op, Return
from protocols.imap.sequence import Ranges, ranges_of, without

_MODES = {
    StoreMode.REPLACE: change_pb2.Store.REPLACE,
    StoreMode.ADD: change_pb2.Store.ADD,
    StoreMode.REMOVE: change_pb2.Store.REMOVE,
}


def system_bits(flags: tuple[str, ...]) -> int:
    return sum(1 << SYSTEM.index(flag) for flag in flags if flag in SYSTEM)


def keywords(flags: tuple[str, ...]) -> list[str]:
    """Those that are not system flags; \\Recent is not a client's to change."""
    return [flag for flag in flags if not flag.startswith("\\")]


def packed(ranges: UidRanges) -> list[UidRange]:
    return [UidRange(first=first, last=last) for first, last in ranges]


async def store(client: Client, event: Store) -> None:
    selected = _writable(client)
    ranges = selected.view.ranges(event.numbers, event.by_uid)
    if ranges:
        ask = change_pb2.Store(
            mailbox=selected.mailbox,
            uids=packed(ranges),
            mode=_MODES[event.mode],
            flags=system_bits(event.flags),
            keywords=keywords(event.flags),
        )
        if event.unchanged_since >= 0:
            ask.unchanged_since = event.unchanged_since
        result = await client.apply(Intent(store=ask))
        failed = tuple((r.first, r.last) for r in result.modified)
        await _say_stored(client, event, result, tuple(without(ranges, failed)))
        await client.end(event, await _store_answer(selected, event, ranges, failed))
        return
    await client.end(event, Ok("Stored"))


async def _say_stored(client: Client, event: Store, result: Result, stored: Ranges) -> None:
    """All of them, changed or not: "as if a FETCH of those flags was done" (RFC 3501 §6.4.6)."""
    selected = client.selected
    selected.answered(result, stored)
    items = selected.flag_items
    if event.silent:  # mod-sequences are told all the same (RFC 7162 §3.1.3)
        items = tuple(item for item in items if item is not Attribute.FLAGS)
    if stored and (selected.condstore or not event.silent):
        await client.say_all(event, selected.told(stored, Plan(items)))


async def _store_answer(selected: Selected, event: Store, ranges: Ranges, failed: Ranges) -> Ok | No:
    """What could not be done; the others have their flags (RFC 2180 §4.2, RFC 7162 §3.1.3)."""
    code = ""
    if failed:
        uids = [uid for first, last in failed for uid in range(first, last + 1)]
        code = response.modified(failed if event.by_uid else ranges_of(selected.view.numbers(uids)))
    if not event.by_uid and not await selected.has_all(ranges):
        return No("Some of the messages are gone", code or "EXPUNGEISSUED")
    return Ok("Stored, but for what had changed" if failed else "Stored", code)


async def copy(client: Client, event: Copy) -> None:
    result = await _transfer(client, event, move=False)
    await client.end(event, Ok("Copied", _copy_uid(result)))


async def move(client: Client, event: Move) -> None:
    """COPYUID comes before the EXPUNGEs, so that the client can follow (RFC 6851 §4.3)."""
    _writable(client)
    result = await _transfer(client, event, move=True)
    code = _copy_uid(result)
    if code:
        client.say(event, response.ok(code, "Moved"))
    await client.end(event, Ok("Moved", _highest(client.selected, result)))


async def _transfer(client: Client, event: Copy | Move, move: bool) -> Result:
    selected = client.selected
    target = await client.mailbox(event.mailbox, "TRYCREATE")
    ranges = selected.view.ranges(event.numbers, event.by_uid)
    if not ranges:
        return Result()
    ask = change_pb2.Copy(mailbox=selected.mailbox, uids=packed(ranges), target=target.mailbox, move=move)
    if not event.by_uid:
        ask.messages = selected.view.within(ranges)  # all that it names, or none (RFC 3501 §6.4.7)
    return await client.apply(Intent(copy=ask))


def _copy_uid(result: Result) -> str:
    copied = result.copied
    if not copied.source:
        return ""
    source, target = (((r.first, r.last) for r in ranges) for ranges in (copied.source, copied.target))
    return response.copy_uid(copied.uid_validity, source, target)


async def expunge(client: Client, event: Expunge) -> None:
    selected = _writable(client)
    ranges = ALL_UIDS if event.uids is None else selected.view.ranges(event.uids, True)
    ask = change_pb2.Expunge(mailbox=selected.mailbox, uids=packed(ranges))
    result = await client.apply(Intent(expunge=ask))
    await client.end(event, Ok("Expunged", _highest(selected, result)))


def _highest(selected: Selected, result: Result) -> str:
    """HIGHESTMODSEQ of the mailbox behind what went of it (RFC 7162 §3.2.7)."""
    return f"HIGHESTMODSEQ {result.position}" if selected.qresync and result.expunged else ""


async def search(client: Client, event: Search) -> None:
    """Of what the account finds, what this client was told of."""
    selected, view = client.selected, client.selected.view
    key = stored_key(view.bind(event.key), client.clock.now_microseconds() // 1_000_000)
    returns = event.returns or Return.ALL
    if Return.SAVE in returns:
        view.saved = ()  # what it is after a NO (RFC 5182 §2.1)
    try:
        found = await client.account.search(selected.mailbox, key)
    except KeyError:
        raise Refused("NONEXISTENT") from None
    known = found[: bisect_right(found, view.last_uid)]
    meant = _ends(returns, known) if returns.ends_only else known
    modseq = await _highest_modseq(selected, meant) if event.key.has(Op.MODSEQ) else 0
    if Return.SAVE in returns:
        view.saved = ranges_of(meant)
    await _say_found(client, event, known, modseq)
    await client.end(event, Ok("Searched"))


async def _say_found(client: Client, event: Search, found: array[int], modseq: int) -> None:
    """In pieces: others are answered in between, and a client that does not read fills no memory."""
    numbers_of = (lambda uids: uids) if event.by_uid else client.selected.view.numbers
    run = client.limits.entries_run_max
    slices = (numbers_of(found[start : start + run]) for start in range(0, len(found), run))
    ends = (numbers_of(found[:1])[0], numbers_of(found[-1:])[0]) if found else (0, 0)
    for piece in response.found_in_pieces(event, slices, len(found), ends, modseq):
        client.say(event, piece)
        await client.conversation.drained()


def _ends(returns: Return, found: array[int]) -> array[int]:
    """Those of what was found that MIN and MAX are about."""
    least = set(found[:1]) if Return.MIN in returns else set()
    greatest = set(found[-1:]) if Return.MAX in returns else set()
    return array("I", sorted(least | greatest))


async def _highest_modseq(selected: Selected, found: array[int]) -> int:
    highest = 0
    async for run in selected.runs(ranges_of(found), Want.ENTRIES):
        highest = max(highest, *longs(run.entries, MODIFIED))
    return highest


def _writable(client: Client) -> Selected:
    if client.selected.read_only:
        raise Refused("READ-ONLY")
    return client.selected
