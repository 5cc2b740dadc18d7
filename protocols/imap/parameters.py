"""Reads what may stand behind the mailbox in SELECT and EXAMINE (RFC 4466 §2.1)."""

from __future__ import annotations

from protocols.imap.grammar import Grammar
from protocols.imap.resync import Known
from protocols.imap.sequence import NONE, SAVED, SequenceSet


def parameters(g: Grammar) -> tuple[bool, Known | None]:
    """[SP "(" select-param *(SP select-param) ")"]: whether one enables CONDSTORE, and QRESYNC's arguments"""
    if not g.skip_sp():
        return False, None
    known: list[Known] = []

    def parameter() -> str:
        word = g.word("CONDSTORE or QRESYNC")
        if word == "QRESYNC":
            g.sp()
            known.append(_known(g))
        elif word != "CONDSTORE":
            raise g.fault("CONDSTORE or QRESYNC")
        return word

    words = g.listed(parameter)
    if not words or len(known) > 1:
        raise g.fault("CONDSTORE or QRESYNC")
    return True, known[0] if known else None


def _known(g: Grammar) -> Known:
    """ "(" uidvalidity SP mod-sequence-value [SP known-uids] [SP seq-match-data] ")", RFC 7162 §7"""
    g.open()
    uid_validity = g.nz_number()
    g.sp()
    modseq = g.number()
    uids = None
    if g.skip_sp() and g.peek() != b"(":
        uids = _without_star(g)
        g.skip_sp()
    numbers = their_uids = NONE
    if g.skip(b"("):
        numbers = _without_star(g)
        g.sp()
        their_uids = _without_star(g)
        g.close()
    g.close()
    return Known(uid_validity, modseq, uids, numbers, their_uids)


def _without_star(g: Grammar) -> SequenceSet:
    numbers = g.sequence_set()
    if numbers.has_star or numbers is SAVED:
        raise g.fault('numbers without "*"')
    return numbers
