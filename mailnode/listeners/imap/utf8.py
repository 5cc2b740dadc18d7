"""ENVELOPE, BODY and BODYSTRUCTURE for a client that said ENABLE UTF8=ACCEPT (RFC 6855 §3)
or IMAP4rev2.

They are stored in 7-bit form; few messages have more to show, and those are read and rendered anew.
"""

from __future__ import annotations

from mailnode.mailbox.rows import MAIL, SIZE, longs, words
from mailnode.mailbox.verbs import Account, Expunged, Messages
from protocols.imap.fetch import Plan
from protocols.mime.digest import Utf8Forms, utf8_forms
from protocols.mime.scan import Scanner


async def show_utf8(account: Account, plan: Plan, run: Messages) -> None:
    """Put other forms into a run where the stored ones hide UTF-8."""
    ids, sizes, forms = longs(run.entries, MAIL), words(run.entries, SIZE), run.forms
    for index, header in enumerate(forms.hiding):
        if not header:
            continue
        shown = await _shown(account, ids[index], sizes[index] if plan.needs_structure else int(header))
        if shown is not None:
            forms.envelopes[index] = shown.envelope
            forms.bodies[index] = shown.body
            forms.structures[index] = shown.body_structure


async def _shown(account: Account, mail: int, octets: int) -> Utf8Forms | None:
    """From the first octets: the header alone tells the envelope. None: gone, the stored forms will do."""
    scanner = Scanner()
    try:
        async for piece in account.octets(mail, 0, octets):
            scanner.feed(piece)
    except Expunged:
        return None
    return utf8_forms(scanner.close())
