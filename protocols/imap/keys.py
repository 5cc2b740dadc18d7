"""Reads search-key (RFC 9051 §9) into a `Key`."""

from __future__ import annotations

import codecs
from collections.abc import Callable

from protocols.fault import Fault
from protocols.imap import flags, objectid
from protocols.imap.grammar import Grammar
from protocols.imap.search import Key, Op, Return
from protocols.imap.sequence import NUMBER_MAX

# Their decoders are no charsets of mail, and some take more than linear time.
_NO_CHARSETS = frozenset({"idna", "punycode", "unicode_escape", "raw-unicode-escape", "raw_unicode_escape"})
_CHARSET_OCTETS_MAX = 64

_FLAGS = {flag[1:].upper(): Key(Op.FLAG, text=flag) for flag in flags.SYSTEM}
_UNSEEN = Key(Op.NOT, (Key(Op.FLAG, text="\\Seen"),))
_RECENT = Key(Op.RECENT)
_WORDS = {
    "ALL": Key(Op.ALL),
    "RECENT": _RECENT,
    "NEW": Key(Op.AND, (_RECENT, _UNSEEN)),
    "OLD": Key(Op.NOT, (_RECENT,)),
    "SAVEDATESUPPORTED": Key(Op.ALL),  # RFC 8514 §4.3
    **_FLAGS,
    **{f"UN{word}": Key(Op.NOT, (key,)) for word, key in _FLAGS.items()},
}
_DAYS = (Op.BEFORE, Op.ON, Op.SINCE, Op.SENTBEFORE, Op.SENTON, Op.SENTSINCE)
_DATES = {op.name: op for op in (*_DAYS, Op.SAVEDBEFORE, Op.SAVEDON, Op.SAVEDSINCE)}
_INTERVALS = {"OLDER": Op.OLDER, "YOUNGER": Op.YOUNGER}
_OBJECTS = {"EMAILID": (Op.EMAIL, b"E"), "THREADID": (Op.THREAD, b"T")}
_NOTHING = Key(Op.NOT, (Key(Op.ALL),))
_SIZES = {"LARGER": Op.LARGER, "SMALLER": Op.SMALLER}
_FIELDS = frozenset({"BCC", "CC", "FROM", "SUBJECT", "TO"})
_TEXTS = {"BODY": Op.BODY, "TEXT": Op.TEXT}


def returns(g: Grammar) -> Return | None:
    """[SP "RETURN" SP "(" [search-return-opt *(SP search-return-opt)] ")"], RFC 4731 §3.1"""
    start = g.at
    g.sp()
    if not _comes(g, "RETURN"):
        g.at = start
        return None
    g.sp()
    asked = Return(0)
    for word in g.listed(lambda: g.word("a result option")):
        if word not in Return.__members__:
            raise g.fault("a result option")
        asked |= Return[word]
    return asked or Return.ALL


def program(g: Grammar) -> Key:
    """search-program = ["CHARSET" SP charset SP] search-key *(SP search-key)"""
    start = g.at
    decode: Callable[[bytes], str] = g.text
    g.sp()
    if _comes(g, "CHARSET"):
        g.sp()
        decode = _decoder(g.astring())
        if "UTF8=ACCEPT" in g.enabled:
            raise Fault("BAD", "After ENABLE UTF8=ACCEPT no charset may be named")  # RFC 6855 §3
    else:
        g.at = start
    reader = _Keys(g, decode)
    keys = []
    while g.skip_sp():
        keys.append(reader.key())
    if not keys:
        raise g.fault("a search key")
    return keys[0] if len(keys) == 1 else Key(Op.AND, tuple(keys))


def _comes(g: Grammar, word: str) -> bool:
    """Whether this word comes, and a space after it."""
    end = g.at + len(word)
    if g.octets[g.at : end].upper() != word.encode() or g.octets[end : end + 1] != b" ":
        return False
    g.at = end
    return True


def _decoder(charset: bytes) -> Callable[[bytes], str]:
    """Text of a charset, any that Python has."""
    name = charset.decode("ascii", "replace") if len(charset) <= _CHARSET_OCTETS_MAX else ""
    try:
        known = codecs.lookup(name).name
        b"a".decode(known, "ignore")  # a transformation of octets, such as zlib, is no charset
    except (LookupError, ValueError):
        known = ""
    if not known or known in _NO_CHARSETS:
        raise Fault("NO [BADCHARSET (US-ASCII UTF-8)]", "Unknown charset")

    def decode(octets: bytes) -> str:
        try:
            text = octets.decode(known)
            text.encode()  # UTF-7 lets half a surrogate pair pass, which is no text
        except ValueError:
            raise Fault("BAD", "The text is not in the charset") from None
        return text

    return decode


class _Keys:
    """The keys of one command: how many there are is bounded."""

    __slots__ = ("_decode", "_g", "_left")

    def __init__(self, g: Grammar, decode: Callable[[bytes], str]) -> None:
        self._g = g
        self._decode = decode
        self._left = g.limits.search_keys_max

    def key(self) -> Key:
        """search-key"""
        g = self._g
        self._left -= 1
        if self._left < 0:
            raise Fault("NO [LIMIT]", "Too many search keys")
        g.enter()
        key = self._key()
        g.leave()
        return key

    def _key(self) -> Key:
        g = self._g
        start = g.peek()
        if start == b"(":
            keys = g.listed(self.key)
            if not keys:
                raise g.fault("a search key")
            return keys[0] if len(keys) == 1 else Key(Op.AND, tuple(keys))
        if start == b"$":
            return Key(Op.UIDS, numbers=g.sequence_set())
        if start.isdigit() or start == b"*":
            return Key(Op.NUMBERS, numbers=g.sequence_set())
        word = g.word("a search key")
        return _WORDS.get(word) or self._with_argument(word)

    def _with_argument(self, word: str) -> Key:
        g = self._g
        if word in _FIELDS:
            return Key(Op.HEADER, text=self._text(), field=word.lower())
        if word in _TEXTS:
            return Key(_TEXTS[word], text=self._text())
        if word in _DATES:
            g.sp()
            return Key(_DATES[word], number=g.date())
        if word in _SIZES:
            g.sp()
            return Key(_SIZES[word], number=g.number())
        if word in _OBJECTS:
            return self._object(*_OBJECTS[word])
        if word in _INTERVALS:
            return self._interval(_INTERVALS[word])
        compound = _COMPOUND.get(word)
        if compound is None:
            raise g.fault("a search key")
        g.sp()
        return compound(self)

    def _text(self) -> str:
        self._g.sp()
        return self._decode(self._g.astring())

    def _interval(self, op: Op) -> Key:
        """ "OLDER" / "YOUNGER" SP nz-number, RFC 5032 §3.

        Leniency: 0 seen from ImapFlow, which asks so for what came after a day that is yet to come.
        """
        self._g.sp()
        number = self._g.number()
        if number > NUMBER_MAX:
            raise self._g.fault("a number up to 4294967295")
        if number:
            return Key(op, number=number)
        return _NOTHING if op is Op.YOUNGER else Key(Op.ALL)

    def _object(self, op: Op, kind: bytes) -> Key:
        """ "EMAILID" SP objectid, RFC 8474 §7"""
        self._g.sp()
        number = objectid.number(self._g.astring(), kind)
        return _NOTHING if number is None else Key(op, number=number)

    def modseq(self) -> Key:
        """ "MODSEQ" [SP entry-name SP entry-type-req] SP mod-sequence-valzer, RFC 7162 §7

        We keep one mod-sequence a message, so the entry is passed over (RFC 7162 §3.1.5).
        """
        g = self._g
        if g.peek() == b'"':
            g.string()
            g.sp()
            if g.word("priv, shared or all") not in ("PRIV", "SHARED", "ALL"):
                raise g.fault("priv, shared or all")
            g.sp()
        return Key(Op.MODSEQ, number=g.number())

    def not_(self) -> Key:
        """ "NOT" SP search-key"""
        return Key(Op.NOT, (self.key(),))

    def or_(self) -> Key:
        """ "OR" SP search-key SP search-key"""
        first = self.key()
        self._g.sp()
        return Key(Op.OR, (first, self.key()))

    def uid(self) -> Key:
        """ "UID" SP sequence-set"""
        return Key(Op.UIDS, numbers=self._g.sequence_set())

    def header(self) -> Key:
        """ "HEADER" SP header-fld-name SP astring"""
        field = self._g.text(self._g.astring()).lower()
        return Key(Op.HEADER, field=field, text=self._text())

    def keyword(self) -> Key:
        """ "KEYWORD" SP flag-keyword"""
        return Key(Op.KEYWORD, text=self._g.atom().decode())

    def unkeyword(self) -> Key:
        return Key(Op.NOT, (self.keyword(),))


_COMPOUND: dict[str, Callable[[_Keys], Key]] = {
    "NOT": _Keys.not_,
    "OR": _Keys.or_,
    "UID": _Keys.uid,
    "HEADER": _Keys.header,
    "KEYWORD": _Keys.keyword,
    "UNKEYWORD": _Keys.unkeyword,
    "MODSEQ": _Keys.modseq,
}
