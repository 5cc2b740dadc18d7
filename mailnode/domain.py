"""A domain whose mail is ours: a table of mailnode.toml, a file beside it, or a text in etcd."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass

from mailnode.table import NAME, ConfigError, Table, quoted, truth
from protocols.sts import Mode

_PLAIN_LOCAL_PART = re.compile(r"[A-Za-z0-9._+-]{1,64}")
_NUMBERS = ("quota_octets", "quota_messages", "domain_quota_octets", "dkim_rotate_days", "min_insync")


@dataclass(frozen=True, slots=True)
class Domain:
    """A domain whose mail is ours; `name` is canonical (directory/address.py)."""

    name: str
    separator: str  # before a sub-address, RFC 5233; empty: the domain has none
    scram: bool  # keep SCRAM keys beside the password's hash
    dkim: str  # the selector of the key that its mail is signed with; empty: it is not signed
    quota_octets: int = 0  # of an account that was told none of its own; 0: no limit
    quota_messages: int = 0  # as quota_octets
    domain_quota_octets: int = 0  # of all its accounts together; 0: no limit
    dkim_rotate_days: int = 0  # how old a key becomes before it has a follower; 0: it has none
    reject_dmarc: bool = False  # refuse what its author's domain wants rejected; else it is filed into Junk
    mta_sts: str = Mode.TESTING  # what others shall do where TLS with its host fails, RFC 8461
    report_address: str = ""  # where others send their reports about its mail; empty: nobody is asked to
    min_insync: int = 0  # copies that have a change before it is acknowledged, where the cluster's are fewer


def domain_lines(domain: Domain) -> list[str]:
    """What stands in a table `[[domain]]`, or in a file of DROP_INS."""
    return [
        f"name = {quoted(domain.name)}",
        f"separator = {quoted(domain.separator)}  # user+tag is user",
        f"scram = {truth(domain.scram)}  # keep SCRAM keys beside the password's hash",
        f"dkim = {quoted(domain.dkim)}  # the first key, dkim/DOMAIN.THIS.pem; `mailnode dkim` has others",
        f"dkim_rotate_days = {domain.dkim_rotate_days}  # then a key has a follower; 0: never",
        f"quota_octets = {domain.quota_octets}  # of an account with no quota of its own; 0: no limit",
        f"quota_messages = {domain.quota_messages}  # as quota_octets",
        f"domain_quota_octets = {domain.domain_quota_octets}  # of its accounts together; 0: no limit",
        f"reject_dmarc = {truth(domain.reject_dmarc)}  # what its author's domain wants so; else into Junk",
        f"mta_sts = {quoted(domain.mta_sts)}  # or {', '.join(Mode)}: must others have TLS with its host?",
        f"report_address = {quoted(domain.report_address)}  # who hears of mail in its name; empty: nobody",
        f"min_insync = {domain.min_insync}  # copies before a 250, where a cluster has fewer; 0: as it has",
    ]


def domain_text(domain: Domain) -> str:
    """A file of DROP_INS."""
    return "\n".join(domain_lines(domain)) + "\n"


def domain_of(name: str, text: str) -> Domain:
    """Out of what `domain_text` made. Raises ConfigError."""
    where = f"domain {name}"
    try:
        table = Table(where, "", tomllib.loads(text))
    except ValueError as error:
        raise ConfigError(f"{where}: is not TOML: {error}") from None
    domain = domain_in(table)
    if domain.name != name:
        raise table.error("name", domain.name, repr(name))
    return domain


def domain_with(domain: Domain, settings: Mapping[str, str]) -> Domain:
    """With some of its keys as typed in. Raises ConfigError."""
    values = tomllib.loads(domain_text(domain))
    table = Table(f"domain {domain.name}", "", values)
    for key, typed in settings.items():
        if key not in values or key == "name":
            raise table.error(key, typed, f"one of {', '.join(each for each in values if each != 'name')}")
        values[key] = typed if isinstance(values[key], str) else _typed(table, key, typed)
    return domain_in(table)


def _typed(table: Table, key: str, typed: str) -> object:
    try:
        return tomllib.loads(f"typed = {typed}")["typed"]
    except ValueError:
        raise table.error(key, typed, "a number, true or false") from None


def domain_in(table: Table) -> Domain:
    """Raises ConfigError."""
    separator = table.text("separator", "+")
    name, selector = table.name("name"), table.text("dkim", "")
    if selector and not NAME.fullmatch(selector):
        raise table.error("dkim", selector, 'a selector such as "m1"')
    numbers = {each: table.number(each, 0, 0) for each in _NUMBERS}
    domain = Domain(
        name,
        separator,
        table.truth("scram", True),
        selector,
        reject_dmarc=table.truth("reject_dmarc", False),
        mta_sts=table.one_of("mta_sts", Mode.TESTING, list(Mode)),
        report_address=_report_address(table, name),
        **numbers,
    )
    table.refuse_others()
    return domain


def postmaster(domain: str) -> str:
    """There is one wherever there is mail, RFC 5321 §4.5.1."""
    return f"postmaster@{domain}"


def _report_address(table: Table, domain: str) -> str:
    """It stands in a record of the DNS, so it is plain."""
    address = table.text("report_address", postmaster(domain))
    if address and not is_plain(address):
        raise table.error("report_address", address, f'an address such as "{postmaster(domain)}"')
    return address


def is_plain(address: str) -> bool:
    """An address that may stand in any record or header field as it is."""
    local, _, name = address.rpartition("@")
    return bool(_PLAIN_LOCAL_PART.fullmatch(local) and NAME.fullmatch(name))
