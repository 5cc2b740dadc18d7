"""What is asked of a node: of the one that runs, or, while none does, of its directory."""

from __future__ import annotations

import argparse
import asyncio
import getpass
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from mailnode import node
from mailnode.admin import client
from mailnode.admin.refusal import Refusal
from mailnode.cli.failure import Failure
from mailnode.cli.printing import Column, number, octets, plain, print_json, show, text, time
from mailnode.clock import SystemClock
from mailnode.pb import admin_pb2 as pb
from mailnode.pb.change_pb2 import SetQuota


def _ask(options: argparse.Namespace, request: Any) -> Any:
    try:
        return client.ask_any(sockets(options.directory), request)
    except client.NotRunning:
        return asyncio.run(_offline(options, request))
    except (client.Failed, Refusal) as error:
        raise Failure(str(error)) from None


async def _offline(options: argparse.Namespace, request: Any) -> Any:
    """Do what the node would do."""
    for config in node.members(options.directory):
        if config.cluster is not None:
            raise Failure(f"no node of {options.directory} runs, and others may have its mail: start it")
    async with node.offline(options.directory, SystemClock()) as whole:
        try:
            return await whole.everywhere.asked(type(request).__name__.removesuffix("Request"), request)
        except Refusal as refusal:
            raise Failure(str(refusal)) from None


def sockets(directory: Path) -> list[Path]:
    """Where the nodes of a directory answer; raises ConfigError."""
    return [config.admin_socket for config in node.members(directory)]


def ask(options: argparse.Namespace, request: Any) -> Any:
    """For commands that stand in files of their own."""
    return _ask(options, request)


def _done(options: argparse.Namespace, answer: Any, said: str) -> None:
    """`said` for people, else all of the answer."""
    if options.json:
        print_json(plain(answer))
    else:
        print(said)


# -- accounts and aliases


def account_add(options: argparse.Namespace) -> None:
    request = pb.AccountAddRequest(address=options.address, password=_password(options), dc=options.dc)
    answer = _ask(options, request)
    _done(options, answer, f"{answer.address} was added")


def account_password(options: argparse.Namespace) -> None:
    request = pb.AccountPasswordRequest(address=options.address, password=_password(options))
    answer = _ask(options, request)
    _done(options, answer, f"{answer.address} has a new password")


def account_suspend(options: argparse.Namespace) -> None:
    request = pb.AccountSuspendRequest(address=options.address, suspended=True)
    answer = _ask(options, request)
    _done(options, answer, f"{answer.address} is suspended")


def account_resume(options: argparse.Namespace) -> None:
    request = pb.AccountSuspendRequest(address=options.address)
    answer = _ask(options, request)
    _done(options, answer, f"{answer.address} is no longer suspended")


def account_remove(options: argparse.Namespace) -> None:
    answer = _ask(options, pb.AccountRemoveRequest(address=options.address))
    said = [f"{answer.address} was removed; `account undelete` brings it back until {time(answer.until)}"]
    said += [f"{text(alias)} names it, and leads there no more" for alias in answer.aliases]
    _done(options, answer, "\n".join(said))


def account_undelete(options: argparse.Namespace) -> None:
    answer = _ask(options, pb.AccountUndeleteRequest(address=options.address))
    _done(options, answer, f"{answer.address} is back")


def account_rename(options: argparse.Namespace) -> None:
    request = pb.AccountRenameRequest(address=options.address, to=options.to, alias=options.keep_alias)
    answer = _ask(options, request)
    _done(options, answer, f"{options.address} is {answer.address}")


def account_quota(options: argparse.Namespace) -> None:
    if options.storage is None and options.messages is None:
        raise Failure("expected --storage or --messages, or both")
    request = pb.AccountQuotaRequest(
        address=options.address, quota=SetQuota(octets=options.storage, messages=options.messages)
    )
    answer = _ask(options, request)
    _done(options, answer, f"{answer.address} has a new quota")


def account_list(options: argparse.Namespace) -> None:
    request = pb.AccountListRequest(address=getattr(options, "address", ""))
    show(_ask(options, request).accounts, ACCOUNTS, options.json)


def domain_add(options: argparse.Namespace) -> None:
    (domain,) = _ask(options, pb.DomainAddRequest(domain=options.domain)).domains
    said = f"{domain.domain} was added; `mailnode dns {domain.domain}` says what its DNS zone needs"
    _done(options, domain, said)


def domain_list(options: argparse.Namespace) -> None:
    show(_ask(options, pb.DomainListRequest()).domains, DOMAINS, options.json)


def domain_set(options: argparse.Namespace) -> None:
    settings = dict(_setting(text) for text in options.settings)
    request = pb.DomainChangeRequest(domain=options.domain, settings=settings)
    (domain,) = _ask(options, request).domains
    _done(options, domain, f"{domain.domain} was changed")


def _setting(text: str) -> tuple[str, str]:
    key, equals, value = text.partition("=")
    if not equals:
        raise Failure(f"{text!a}: expected KEY=VALUE, such as min_insync=2")
    return key, value


def domain_remove(options: argparse.Namespace) -> None:
    request = pb.DomainRemoveRequest(domain=options.domain, keep_accounts=options.keep_accounts)
    (domain,) = _ask(options, request).domains
    _done(options, domain, f"{domain.domain} was removed")


def alias_add(options: argparse.Namespace) -> None:
    request = pb.AliasAddRequest(address=options.address, targets=options.targets)
    answer = _ask(options, request)
    _done(options, answer, f"{answer.address} was added")


def alias_remove(options: argparse.Namespace) -> None:
    answer = _ask(options, pb.AliasRemoveRequest(address=options.address))
    _done(options, answer, f"{answer.address} was removed")


def alias_list(options: argparse.Namespace) -> None:
    show(_ask(options, pb.AliasListRequest()).aliases, ALIASES, options.json)


def mailbox_list(options: argparse.Namespace) -> None:
    request = pb.MailboxListRequest(address=options.address)
    show(_ask(options, request).mailboxes, MAILBOXES, options.json)


def mailbox_expunged(options: argparse.Namespace) -> None:
    request = pb.MailboxExpungedRequest(address=options.address)
    show(_ask(options, request).expunged, EXPUNGED, options.json)


def mailbox_undelete(options: argparse.Namespace) -> None:
    request = pb.MailboxUndeleteRequest(
        address=options.address, mailbox=options.mailbox, since=options.since(SystemClock())
    )
    answer = _ask(options, request)
    _done(options, answer, f"{answer.messages} messages came back")


def _password(options: argparse.Namespace) -> str:
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\r\n")
    password = getpass.getpass(f"Password for {options.address}: ")
    if getpass.getpass("Once more: ") != password:
        raise Failure("the two passwords differ")
    return password


# -- application passwords


def app_password_add(options: argparse.Namespace) -> None:
    expires = int((datetime.now(UTC) + timedelta(days=options.days)).timestamp() * 1e6) if options.days else 0
    request = pb.AppPasswordAddRequest(
        address=options.address, name=options.name, scopes=options.scopes, expires=expires
    )
    answer = _ask(options, request)
    _done(options, answer, answer.password)


def app_password_list(options: argparse.Namespace) -> None:
    request = pb.AppPasswordListRequest(address=options.address)
    show(_ask(options, request).app_passwords, APP_PASSWORDS, options.json)


def app_password_revoke(options: argparse.Namespace) -> None:
    request = pb.AppPasswordRevokeRequest(address=options.address, name=options.name)
    answer = _ask(options, request)
    _done(options, answer, f"{options.name} of {answer.address} was revoked")


# -- the queue


def queue_list(options: argparse.Namespace) -> None:
    show(_ask(options, pb.QueueListRequest()).items, ITEMS, options.json)


def queue_show(options: argparse.Namespace) -> None:
    items = _ask(options, pb.QueueListRequest(item=options.item)).items
    show(items, ITEMS, options.json)
    if not options.json:
        print()
        show(items[0].recipients, RECIPIENTS, as_json=False)


def queue_retry(options: argparse.Namespace) -> None:
    _change(options, pb.QueueChangeRequest.RETRY, "due now")


def queue_hold(options: argparse.Namespace) -> None:
    _change(options, pb.QueueChangeRequest.HOLD, "on hold")


def queue_release(options: argparse.Namespace) -> None:
    _change(options, pb.QueueChangeRequest.RELEASE, "released")


def queue_remove(options: argparse.Namespace) -> None:
    _change(options, pb.QueueChangeRequest.REMOVE, "removed")


def _change(options: argparse.Namespace, what: pb.QueueChangeRequest.What, done: str) -> None:
    answer = _ask(options, pb.QueueChangeRequest(item=options.item, what=what))
    if options.json:
        show(answer.items, ITEMS, as_json=True)
    else:
        print(f"{len(answer.items)} {done}")


# -- tables

ACCOUNTS = (
    Column("ADDRESS", lambda row: text(row.address)),
    Column("STATE", lambda row: "removed" if row.removed else "suspended" if row.suspended else "active"),
    number("MAILBOXES", lambda row: row.mailboxes),
    number("MESSAGES", lambda row: row.messages),
    number("SIZE", lambda row: octets(row.octets)),
    number("MAX-MESSAGES", lambda row: row.quota_messages or "-"),
    number("MAX-SIZE", lambda row: octets(row.quota_octets) if row.quota_octets else "-"),
    Column("QUOTA", lambda row: "own" if row.quota_own else "domain"),
)
APP_PASSWORDS = (
    Column("NAME", lambda row: text(row.name)),
    Column("FOR", lambda row: " ".join(row.scopes)),
    Column("MADE", lambda row: time(row.created)),
    Column("EXPIRES", lambda row: time(row.expires) if row.expires else "never"),
    Column("LAST USED", lambda row: time(row.used) if row.used else "never"),
)
DOMAINS = (
    Column("DOMAIN", lambda row: row.domain),
    Column("FILE", lambda row: row.file),
    Column("DKIM", lambda row: row.dkim or "-"),
    number("ACCOUNTS", lambda row: row.accounts),
    number("ALIASES", lambda row: row.aliases),
)
ALIASES = (
    Column("ADDRESS", lambda row: text(row.address)),
    Column("TARGETS", lambda row: text(" ".join(row.targets))),
)
MAILBOXES = (
    Column("MAILBOX", lambda row: text(row.name)),
    Column("USE", lambda row: row.special_use),
    number("MESSAGES", lambda row: row.messages),
    number("UNSEEN", lambda row: row.unseen),
    number("SIZE", lambda row: octets(row.octets)),
)
EXPUNGED = (
    Column("EXPUNGED", lambda row: time(row.time)),
    Column("UNTIL", lambda row: time(row.until)),
    Column("MAILBOX", lambda row: text(row.mailbox)),
    number("MESSAGES", lambda row: row.messages),
    number("SIZE", lambda row: octets(row.octets)),
)
ITEMS = (
    Column("ITEM", lambda row: row.item),
    Column("SENDER", lambda row: text(row.sender or "<>")),
    number("SIZE", lambda row: octets(row.octets)),
    Column("QUEUED", lambda row: time(row.queued)),
    Column("NEXT ATTEMPT", lambda row: "on hold" if row.held else time(row.due)),
    number("ATTEMPTS", lambda row: row.attempts),
    number("WAITING", lambda row: len(row.recipients)),
)
RECIPIENTS = (
    Column("RECIPIENT", lambda row: text(row.address)),
    Column("LAST REPLY", lambda row: text(row.reply)),
)
