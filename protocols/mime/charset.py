"""Octets of any charset to text, never failing: RFC 2046 §4.1.2."""

import codecs
from functools import lru_cache

# What mail says -> what Python knows. gb2312 and ks_c_5601 are written where their supersets are meant.
_ALIASES = {
    "ansi": "cp1252",
    "ansi_x3.4-1968": "ascii",
    "cp-850": "cp850",
    "chinesebig5": "big5",
    "default_charset": "ascii",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "x-gbk": "gb18030",
    "euc-cn": "gb18030",
    "iso-8859-8-i": "iso8859-8",
    "iso-8859-8-e": "iso8859-8",
    "iso-8859-6-i": "iso8859-6",
    "ks_c_5601-1987": "cp949",
    "ks_c_5601": "cp949",
    "ksc5601": "cp949",
    "euc-kr": "cp949",
    "unicode": "utf-16",
    "unicode-1-1-utf-7": "utf-7",
    "unicode-1-1-utf-8": "utf-8",
    "utf8mb4": "utf-8",
    "x-euc-jp": "euc_jp",
    "x-mac-roman": "mac_roman",
    "x-sjis": "cp932",
    "shift_jis": "cp932",
    "windows-31j": "cp932",
    "windows-874": "cp874",
    "x-user-defined": "ascii",
    "x-unknown": "ascii",
    "unknown-8bit": "ascii",
    "unknown": "ascii",
    "8bit": "ascii",
    "binary": "ascii",
}
# Python's own transformations: no charsets, and some are not linear in their input.
_NOT_CHARSETS = {"idna", "punycode", "undefined", "unicode-escape", "raw-unicode-escape", "unicode_escape",
                 "raw_unicode_escape", "mbcs", "oem"}  # fmt: skip
_CHARSET_OCTETS_MAX = 64  # no registered name is longer


def decode(octets: bytes, charset: bytes) -> str:
    """Text of `octets`; what cannot be decoded becomes U+FFFD, an unknown charset is guessed."""
    name = codec(charset) if len(charset) <= _CHARSET_OCTETS_MAX else ""
    if not name or name == "ascii":
        return guess(octets)
    try:
        return octets.decode(name, "replace")
    except (UnicodeError, LookupError, ValueError):
        return guess(octets)


def guess(octets: bytes) -> str:
    """Text without a usable charset: UTF-8 (RFC 6532) where it is valid, else the most frequent 8-bit one."""
    if octets.isascii():
        return octets.decode("ascii")
    try:
        return octets.decode("utf-8")
    except UnicodeDecodeError:
        return octets.decode("cp1252", "replace")


@lru_cache(maxsize=256)
def codec(charset: bytes) -> str:
    """Python's name of a charset; empty where there is none.

    Leniency: a parameter inside the quotes, `"iso-8859-15; format=flowed"`.
    """
    name = charset.decode("ascii", "replace").partition(";")[0].strip(" \t\"'").lower()
    name = _ALIASES.get(name, name)
    try:
        info = codecs.lookup(name)
        "".encode(info.name)
    except (LookupError, ValueError):
        return ""
    return "" if info.name in _NOT_CHARSETS else info.name
