"""ENVELOPE, BODY and BODYSTRUCTURE for a client that said ENABLE UTF8=ACCEPT (RFC 6855 §3).

They are stored in 7-bit form; few messages have more to show, and those are read and rendered anew.
"""

from __future__ import annotations

from mailnode.mailbox.rows import MAIL, longs
from mailnode.mailbox.verbs import Account, Expunged, Messages
from mailnode.pb.row_pb2 import MailRow
from protocols.imap.fetch import Plan
from protocols.mime.digest import utf8_forms
from protocols.mime.scan import Scanner


async def show_utf8(account: Account, plan: Plan, run: Messages) -> None:
    """Put other rows into a run where the stored ones hide UTF-8."""
    ids = longs(run.entries, MAIL)
    for index, row in enumerate(run.mails):
        if row.needs_utf8:
            run.mails[index] = await _shown(account, plan, row, ids[index])


async def _shown(account: Account, plan: Plan, row: MailRow, mail: int) -> MailRow:
    """The header alone tells the envelope; of a message that is gone the stored forms will do."""
    scanner = Scanner()
    try:
        async for octets in account.octets(mail, 0, row.size if plan.needs_structure else row.header):
            scanner.feed(octets)
    except Expunged:
        return row
    forms = utf8_forms(scanner.close())
    shown = MailRow()
    shown.CopyFrom(row)
    shown.envelope, shown.body, shown.bodystructure = forms.envelope, forms.body, forms.body_structure
    return shown
