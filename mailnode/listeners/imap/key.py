"""A search key of the protocol, bound to a mailbox, in stored words."""

from __future__ import annotations

from mailnode.pb.account_pb2 import SearchKey
from mailnode.pb.change_pb2 import UidRange
from protocols.imap.flags import SYSTEM
from protocols.imap.search import Key, Op

_OPS = {
    Op.ALL: SearchKey.ALL,
    Op.AND: SearchKey.AND,
    Op.OR: SearchKey.OR,
    Op.NOT: SearchKey.NOT,
    Op.UIDS: SearchKey.UIDS,
    Op.FLAG: SearchKey.FLAGS,
    Op.KEYWORD: SearchKey.KEYWORD,
    Op.LARGER: SearchKey.SIZE_LARGER,
    Op.SMALLER: SearchKey.SIZE_SMALLER,
    Op.BEFORE: SearchKey.RECEIVED_BEFORE,
    Op.ON: SearchKey.RECEIVED_ON,
    Op.SINCE: SearchKey.RECEIVED_SINCE,
    Op.SENTBEFORE: SearchKey.SENT_BEFORE,
    Op.SENTON: SearchKey.SENT_ON,
    Op.SENTSINCE: SearchKey.SENT_SINCE,
    Op.HEADER: SearchKey.HEADER,
    Op.BODY: SearchKey.BODY,
    Op.TEXT: SearchKey.TEXT,
    Op.MODSEQ: SearchKey.MODSEQ,
    Op.EMAIL: SearchKey.EMAIL,
    Op.THREAD: SearchKey.THREAD,
    Op.SAVEDBEFORE: SearchKey.SAVED_BEFORE,
    Op.SAVEDON: SearchKey.SAVED_ON,
    Op.SAVEDSINCE: SearchKey.SAVED_SINCE,
}

_INTERVALS = {Op.OLDER: SearchKey.RECEIVED_UNTIL, Op.YOUNGER: SearchKey.RECEIVED_FROM}


def stored_key(key: Key, now_seconds: int) -> SearchKey:
    """`key` as `View.bind` gives it: without NUMBERS and RECENT, its ranges of UIDs resolved. No mail is
    from before 1970."""
    if key.op is Op.FLAG:
        return SearchKey(op=SearchKey.FLAGS, number=1 << SYSTEM.index(key.text))
    if key.op in _INTERVALS:
        return SearchKey(op=_INTERVALS[key.op], number=max(now_seconds - key.number, 0))
    if key.number < 0 and key.op in (Op.ON, Op.SENTON, Op.SAVEDON):
        return SearchKey(op=SearchKey.NOT, keys=[SearchKey(op=SearchKey.ALL)])
    return SearchKey(
        op=_OPS[key.op],
        keys=[stored_key(inner, now_seconds) for inner in key.keys],
        uids=[UidRange(first=first, last=last) for first, last in key.numbers.ranges],
        number=max(key.number, 0),
        text=key.text,
        field=key.field,
    )
