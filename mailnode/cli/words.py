"""Every command with its words."""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import shtab

from mailnode.cli import (
    amount,
    asking,
    cluster_copies,
    cluster_moves,
    cluster_promote,
    cluster_status,
    clustering,
    doctor,
    doctoring,
    keeping,
    keys,
    making,
    manual,
    moving,
    reports,
    resharding,
    scrubbing,
    verifying,
    zone,
)
from mailnode.cluster.local_map import NODES_MAX
from mailnode.cluster.map import PARTITIONS
from mailnode.config import STANDARD_PORTS
from mailnode.directory.attempt import Scope
from mailnode.mailauth.key import KINDS

DAYS_MAX = 36_500  # of an application password

COPIES_MAX = 7  # of a mail: each is written before it is answered
TOKEN_MINUTES_MAX = 7 * 24 * 60

BASE_PORT = 10_000
"""A port is this and the standard one: nobody needs to be root."""

Run = Callable[[argparse.Namespace], None]


def parser() -> argparse.ArgumentParser:
    whole = argparse.ArgumentParser(prog="mailnode", description="A mail server.")
    commands = whole.add_subparsers(required=True, metavar="COMMAND")
    _making(commands)
    _accounts(commands)
    _app_passwords(commands)
    _aliases(commands)
    _mailboxes(commands)
    _moving(commands)
    _domains(commands)
    _keys(commands)
    _queue(commands)
    _reports(commands)
    _backups(commands)
    _shown(commands, "status", "what the node is doing", doctor.status)
    _doctor(commands)
    _cluster(commands)
    _completion(commands)
    _manual(commands)
    _shown(commands, "scrub", "look at everything that is stored, now", scrubbing.scrub)
    return whole


def _making(commands: Any) -> None:
    init = commands.add_parser("init", help="make a node's directory with a domain and its accounts")
    init.add_argument("directory", type=Path, metavar="DIR")
    init.add_argument("--domain", required=True, help="whose mail is ours, such as example.org")
    init.add_argument("--account", action="append", default=[], metavar="ADDRESS:PASSWORD")
    init.add_argument("--base-port", type=_base_port, default=BASE_PORT, metavar="PORT")
    _openness(init)
    about = "how many processes share the work: a number, or `cores`: one for each of this machine"
    init.add_argument("--nodes", type=_nodes, default=1, metavar="N", help=about)
    init.set_defaults(run=making.init)

    up = commands.add_parser("up", help="serve until SIGTERM")
    up.add_argument("directory", type=Path, metavar="DIR")
    up.set_defaults(run=lambda options: making.up(options.directory))

    about = "another number of nodes in a directory, while none of them runs"
    changing = commands.add_parser("reshard", help=about)
    about = "as of init; without it, what mailnode.toml says, or on with what was begun"
    changing.add_argument("--nodes", type=_nodes, default=0, metavar="N", help=about)
    changing.add_argument("directory", type=Path, metavar="DIR")
    changing.set_defaults(run=resharding.run)

    about = f"serve {making.DEMO_DOMAIN} with two accounts, to try it out"
    demo = commands.add_parser("demo", help=about)
    demo.add_argument("directory", type=Path, metavar="DIR")
    demo.add_argument("--base-port", type=_base_port, default=BASE_PORT, metavar="PORT")
    demo.set_defaults(run=making.demo)


def _openness(command: argparse.ArgumentParser) -> None:
    command.add_argument("--allow-plaintext-auth", action="store_true", help="passwords outside TLS, too")
    command.add_argument("--local-only", action="store_true", help="refuse our users' mail for other domains")
    about = "whose the directory is, and whom root becomes once the ports are bound"
    command.add_argument("--user", default="", help=about)


def _accounts(commands: Any) -> None:
    of = _group(commands, "account", "accounts")
    about = "a new account; its password by prompt or from standard input"
    add = _shown(of, "add", about, asking.account_add, "address")
    add.add_argument("--dc", default="", help="its data centre (default: that of the node)")
    _shown(of, "list", "every account", asking.account_list)
    _shown(of, "show", "one account", asking.account_list, "address")
    _shown(of, "passwd", "a new password", asking.account_password, "address")
    _shown(of, "suspend", "let nobody log in; mail still comes in", asking.account_suspend, "address")
    _shown(of, "resume", "end a suspension", asking.account_resume, "address")

    about = "it takes no mail and nobody logs in; for a while it can be brought back"
    _shown(of, "remove", about, asking.account_remove, "address")
    _shown(of, "undelete", "bring back what was removed", asking.account_undelete, "address")
    about = "another address for an account; its mail and its password stay"
    rename = _shown(of, "rename", about, asking.account_rename, "address")
    rename.add_argument("to", metavar="NEW")
    rename.add_argument("--keep-alias", action="store_true", help="the old address stays, as an alias")
    quota = _shown(of, "quota", "how much an account may hold", asking.account_quota, "address")
    about = "octets, such as 10G; `none`: no limit; `domain`: as mailnode.toml says of its domain"
    quota.add_argument("--storage", type=amount.octets, metavar="SIZE", help=about)
    quota.add_argument("--messages", type=amount.messages, metavar="N", help="as --storage")


def _app_passwords(commands: Any) -> None:
    of = _group(commands, "app-password", "passwords for one program each")
    about = "make one and print it; it is shown this once"
    add = _shown(of, "add", about, asking.app_password_add, "address", "name")
    add.add_argument(
        "--scope",
        action="append",
        default=[],
        choices=tuple(Scope),
        dest="scopes",
        help="all, if none is named",
    )
    add.add_argument("--days", type=_days, default=0, help="until it expires; it does not, if none are named")
    _shown(of, "list", "those of an account", asking.app_password_list, "address")
    about = "it opens nothing any more; sessions that came in by it end"
    _shown(of, "revoke", about, asking.app_password_revoke, "address", "name")


def _aliases(commands: Any) -> None:
    of = _group(commands, "alias", "aliases")
    about = "a new address whose mail goes to others of this node; @DOMAIN takes what has no address"
    add = _shown(of, "add", about, asking.alias_add, "address")
    add.add_argument("targets", nargs="+", metavar="TARGET")
    _shown(of, "list", "every alias", asking.alias_list)
    _shown(of, "remove", "an alias goes", asking.alias_remove, "address")


def _mailboxes(commands: Any) -> None:
    of = _group(commands, "mailbox", "mailboxes")
    _shown(of, "list", "the mailboxes of an account", asking.mailbox_list, "address")
    _shown(of, "expunged", "what can be brought back", asking.mailbox_expunged, "address")
    back = _shown(of, "undelete", "bring back what was expunged", asking.mailbox_undelete, "address")
    about = "of this one alone, by the name that it has or had"
    back.add_argument("mailbox", nargs="?", default="", metavar="MAILBOX", help=about)
    about = "what was expunged since then: 90m, 12h, 3d ago, or 2026-01-31 12:00 (UTC)"
    back.add_argument("--since", type=amount.since, default="all", metavar="TIME", help=about)


def _moving(commands: Any) -> None:
    of = _group(commands, "import", "mail of another store into an account")
    for name, about, path in (
        ("maildir", "a Maildir with its folders, as Dovecot and Courier keep them", "DIRECTORY"),
        ("mbox", "an mbox file, or a tree of them", "PATH"),
        ("imap", "the mailboxes of another server", ""),
    ):
        command = _asked(of, name, about, getattr(moving, f"import_{name}"), "address")
        if path:
            command.add_argument("path", type=Path, metavar=path)
        _import_options(command)
        if name == "mbox":
            about = "what stands before lines that begin with From (default: mboxrd)"
            command.add_argument("--quoting", choices=moving.QUOTINGS, default="mboxrd", help=about)
        if name == "imap":
            _server_options(command)

    of = _group(commands, "export", "mail of an account into files")
    for name, about in (
        ("maildir", "a Maildir that Dovecot can take over"),
        ("mbox", "an mbox file a mailbox (mboxrd)"),
    ):
        command = _asked(of, name, about, getattr(moving, f"export_{name}"), "address")
        command.add_argument("path", type=Path, metavar="DIRECTORY")
        _which_mailboxes(command)
        about = "files have the octets as stored, with CRLF (default: LF for CRLF)"
        command.add_argument("--crlf", action="store_true", help=about)
        command.add_argument("--json", action="store_true")

    about = "a message from standard input into mailboxes, through the running node; status as of sysexits.h"
    deliver = _asked(commands, "deliver", about, moving.deliver)
    deliver.add_argument("addresses", nargs="+", metavar="ADDRESS")
    deliver.add_argument(
        "-f", "--sender", default="", metavar="ADDRESS", help="the reverse-path (default: <>)"
    )


def _which_mailboxes(command: argparse.ArgumentParser) -> None:
    about = "only this one, such as Work/*; may be given again"
    command.add_argument("--mailbox", action="append", default=[], metavar="PATTERN", help=about)


def _import_options(command: argparse.ArgumentParser) -> None:
    _which_mailboxes(command)
    command.add_argument("--into", default="", metavar="MAILBOX", help="below it, not at the top")
    about = "mailboxes keep UIDs and UIDVALIDITY, so that clients fetch nothing anew"
    command.add_argument("--keep-uids", action="store_true", help=about)
    about = "POP3 keeps unique-ids of this form, as Dovecot's pop3_uidl_format: %%08Xu%%08Xv"
    command.add_argument("--pop3-uidl", default="", metavar="FORMAT", help=about)
    about = "tells apart stores whose messages are named alike (IMAP: USER@HOST)"
    command.add_argument("--source", default="", metavar="NAME", help=about)
    command.add_argument("--json", action="store_true")


def _server_options(command: argparse.ArgumentParser) -> None:
    command.add_argument("--host", required=True)
    command.add_argument("--port", type=int, default=0, help="default: 993 with TLS, else 143")
    command.add_argument("--security", choices=moving.SECURITIES, default="tls")
    command.add_argument("--user", required=True)
    about = "who logs in for the user, with the password"
    command.add_argument("--master", default="", metavar="USER", help=about)
    about = f"its first line; else {moving.PASSWORD} in the environment, else a prompt"
    command.add_argument("--password-file", type=Path, metavar="FILE", help=about)
    about = "PEM file of the authority, or of the server's own certificate"
    command.add_argument("--certificate", type=Path, metavar="FILE", help=about)
    command.add_argument("--no-verify", action="store_true", help="whatever certificate the server shows")


def _domains(commands: Any) -> None:
    of = _group(commands, "domain", "domains whose mail is ours")
    _shown(of, "add", "mail of one more domain is ours", asking.domain_add, "domain")
    _shown(of, "list", "every domain", asking.domain_list)
    _shown(of, "show", "the settings of a domain", zone.show, "domain")
    about = "change settings of a domain that was added: `domain show` has them"
    of_domain = _shown(of, "set", about, asking.domain_set, "domain")
    of_domain.add_argument("settings", nargs="+", metavar="KEY=VALUE", help="such as min_insync=2")
    remove = _shown(of, "remove", "mail of a domain is no longer ours", asking.domain_remove, "domain")
    about = "with its accounts: their mail stays, they answer to nobody until the domain is added again"
    remove.add_argument("--keep-accounts", action="store_true", help=about)
    _shown(commands, "dns", "what a domain's DNS zone shall say", zone.dns, "domain")


def _keys(commands: Any) -> None:
    of = _group(commands, "dkim", "keys that a domain's mail is signed with")
    _shown(of, "list", "every key of a domain, and what becomes of it", keys.listed, "domain")
    about = "a new key, which signs once the DNS shows its record; prints that"
    made = _shown(of, "generate", about, keys.generate, "domain")
    made.add_argument("--kind", choices=KINDS, default="rsa", help="ed25519 beside an RSA key, not alone")
    about = "a follower for each key that signs: it takes over once the DNS shows its record; prints that"
    _shown(of, "rotate", about, keys.rotate, "domain")
    about = "a key signs no more, its private part goes; prints the record that says so"
    _shown(of, "revoke", about, keys.revoke, "domain", "selector")
    _shown(of, "publish", "the records of all keys, for the zone", keys.publish, "domain")


def _queue(commands: Any) -> None:
    of = _group(commands, "queue", "mail that waits for other servers")
    _shown(of, "list", "what waits", asking.queue_list)
    _shown(of, "show", "one item, with its recipients", asking.queue_show, "item")
    for name, about, run in (
        ("retry", "try it now", asking.queue_retry),
        ("hold", "do not try it until it is released", asking.queue_hold),
        ("release", "try it again at its time", asking.queue_release),
        ("remove", "give it up without a report", asking.queue_remove),
    ):
        change = _shown(of, name, about, run)
        which = change.add_mutually_exclusive_group(required=True)
        which.add_argument("item", nargs="?", default="", metavar="ITEM", help="as `queue list` names it")
        which.add_argument("--all", action="store_true")


def _reports(commands: Any) -> None:
    of = _group(commands, "reports", "what others report about mail in our domains' names")
    listing = _shown(of, "list", "every report that came in", reports.listed)
    _shown(of, "show", "one report", reports.shown, "report")
    about = "who sends as our domains, and fails to show that it may"
    sending = _shown(of, "sources", about, reports.sources)
    sending.add_argument("--all", action="store_true", help="those that never failed, too")
    for command in (listing, sending):
        command.add_argument("--domain", default="", metavar="DOMAIN", help="of this one alone")
        about = "reports of a time after that: 90m, 12h, 30d ago, or 2026-01-31 (UTC); all (default: 30d)"
        command.add_argument("--since", type=amount.since, default="30d", metavar="TIME", help=about)


def _backups(commands: Any) -> None:
    of = _group(commands, "backup", "backups of a node")
    making_one = _asked(of, "make", "a further backup; the node may run", keeping.make)
    making_one.add_argument(
        "--keep", type=_count, default=0, metavar="N", help="then drop all but the last N"
    )
    listing = _on_backups(of, "list", "every backup", keeping.list_)
    listing.add_argument("--json", action="store_true")
    verifying = _on_backups(of, "verify", "read every octet of a backup, or of all", keeping.verify)
    verifying.add_argument("backup", nargs="?", default="", metavar="BACKUP")
    pruning = _on_backups(of, "prune", "drop all but the last", keeping.prune)
    pruning.add_argument("--keep", type=_count, required=True, metavar="N")
    making_one.add_argument("--account", default="", metavar="ADDRESS", help="of this one only")
    making_one.add_argument("backups", type=Path, metavar="BACKUPS", help="the directory of backups")

    restoring = _on_backups(commands, "restore", "a node, or one account, out of a backup", keeping.restore)
    restoring.add_argument(
        "directory", type=Path, metavar="DIR", help="a new one; with --account that of a node"
    )
    restoring.add_argument("--backup", default="", metavar="BACKUP", help="the last, where it is not said")
    restoring.add_argument("--account", default="", metavar="ADDRESS", help="this one only")
    restoring.add_argument("--into", default="", metavar="ADDRESS", help="of another account, or a new one")


def _on_backups(of: Any, name: str, about: str, run: Run) -> argparse.ArgumentParser:
    """A command for a directory of backups, which needs no node."""
    command: argparse.ArgumentParser = of.add_parser(name, help=about)
    command.add_argument("backups", type=Path, metavar="BACKUPS")
    command.set_defaults(run=run)
    return command


def _count(text: str) -> int:
    if not text.isdecimal() or not 0 < int(text) < 1_000_000:
        raise argparse.ArgumentTypeError(f"{text!a} is no number of backups")
    return int(text)


def _doctor(commands: Any) -> None:
    """Of everything, or more closely of one part."""
    whole = _shown(commands, "doctor", "what is wrong, and what can be done", doctor.doctor)
    parts = whole.add_subparsers(metavar="PART")
    shard = _shown(parts, "shard", "read all of the store while no node runs", doctoring.shard)
    shard.add_argument("--recover", action="store_true", help="go on with what can be read")


def _cluster(commands: Any) -> None:
    of = _group(commands, "cluster", "several nodes that are one mail system: docs/cluster.md")
    begin = _asked(of, "init", "a node that has no mail yet is the first of a cluster", clustering.init)
    begin.add_argument("--etcd", required=True, metavar="HOST:PORT[,...]", help="where its members are")
    begin.add_argument("--prefix", default="mailnode", help="of all keys there: clusters may share an etcd")
    begin.add_argument("--copies", type=_copies, default=3, metavar="N", help="of all mail (default: 3)")
    about = "of a mail's copies so many must be there, or none is taken (default: 2)"
    begin.add_argument("--min-insync", type=_copies, default=2, metavar="N", help=about)
    _cluster_node(begin)

    about = "what one more node comes in by: good once, for an hour"
    token = _asked(of, "token", about, clustering.token)
    token.add_argument("--minutes", type=_minutes, default=60, metavar="N", help="it is good (default: 60)")

    about = "whether all copies are equal, of an account or a partition or everything"
    verify = _shown(of, "verify", about, verifying.verify)
    which = verify.add_mutually_exclusive_group(required=True)
    which.add_argument("what", nargs="?", type=verifying.what, metavar="ADDRESS|PARTITION")
    which.add_argument("--all", action="store_true", help="every partition of every node that runs")
    verify.add_argument("--repair", action="store_true", help="make those equal that differ")

    about = "a directory, which is made where there is none, is a node of a cluster"
    join = _asked(of, "join", about, clustering.join, "token")
    about = "where its members are, if the token says it as seen from another machine"
    join.add_argument("--etcd", default="", metavar="HOST:PORT[,...]", help=about)
    _cluster_node(join)
    about = "the node that was lost with its disk: the directory is it from now on"
    join.add_argument("--replace", default="", metavar="NODE", help=about)
    about = "of a directory that is made; without it, 10000 or the next thousand that is free here"
    join.add_argument("--base-port", type=_base_port, metavar="PORT", help=about)
    about = "of a directory that is made; without it, as where the token was made"
    join.add_argument("--hostname", default="", help=about)
    _openness(join)
    _cluster_seen(of)


def _cluster_seen(of: Any) -> None:
    _shown(of, "status", "its nodes, the state of its partitions, what moves", cluster_status.status)
    about = "who leads which partition, and who has copies: of an account, of one partition, or of all"
    which = _shown(of, "map", about, cluster_status.mapped)
    about = "a number, or the address of an account"
    which.add_argument("which", nargs="?", default="", metavar="ADDRESS|PARTITION", help=about)
    kept = _shown(of, "copies", "how many are kept of mail at home here", cluster_copies.copies)
    kept.add_argument("--copies", type=int, metavar="N", help="of all mail, each on another host")
    kept.add_argument("--min-insync", type=int, metavar="N", help="that must be there, or no mail is taken")
    about = "data centres that have what is acknowledged, too"
    kept.add_argument("--sync-dcs", metavar="DC[,...]", help=about)
    about = "empty a node: what it leads and its copies go to others; waits until that is done"
    drain = _shown(of, "drain", about, cluster_moves.drain, "node")
    drain.add_argument("--back", action="store_true", help="it gets its share again")
    about = "let a node lead a partition, with a copy of it first if it has none"
    move = _shown(of, "move", about, cluster_moves.move)
    move.add_argument("partition", type=_partition, metavar="PARTITION")
    move.add_argument("node", metavar="NODE")
    about = "a node that is lost for good: others get its copies now"
    _shown(of, "remove", about, cluster_moves.remove, "node")
    about = "a data centre leads what another one led, which is lost"
    lead = _shown(of, "promote", about, cluster_promote.promote)
    lead.add_argument("dc", metavar="DC", help="that of the node in the directory: it shall lead")
    about = "the one that is lost (default: all that do not answer)"
    lead.add_argument("--lost", default="", metavar="DC", help=about)
    about = "not all of its homes, but this one; may stand several times"
    lead.add_argument("--home", type=int, action="append", default=[], metavar="N", help=about)
    about = "even if it answers: it acknowledges mail until it hears of this"
    lead.add_argument("--although-alive", action="store_true", help=about)
    about = "what nobody here has a copy of begins anew, without mail"
    lead.add_argument("--empty", action="store_true", help=about)


def _cluster_node(command: argparse.ArgumentParser) -> None:
    command.add_argument("--name", default="", help="of the node, for good (default: the first free nodeN)")
    about = "never two copies on one (default: the node's name, as if each had a machine)"
    command.add_argument("--host", default="", help=about)
    command.add_argument("--rack", default="", help="copies are spread over them")
    command.add_argument("--dc", default="", help="its data centre (default: that of etcd; the first: dc1)")
    about = "HOST:PORT at which the others reach it, in TLS (default: a socket in its directory)"
    command.add_argument("--listen", default="", metavar="ADDRESS", help=about)
    command.add_argument("--etcd-user", default="", metavar="USER", help="of an etcd that asks who we are")
    command.add_argument("--etcd-password-file", type=Path, metavar="FILE", help="of the user")
    command.add_argument("--etcd-authority", type=Path, metavar="FILE", help="PEM, of an etcd with TLS")
    command.add_argument("--etcd-certificate", type=Path, metavar="FILE", help="PEM, which it asks for")
    command.add_argument("--etcd-key", type=Path, metavar="FILE", help="PEM, of that")


def _completion(commands: Any) -> None:
    command = commands.add_parser("completion", help="what a shell needs to complete these words")
    command.add_argument("shell", choices=("bash", "zsh", "fish"))
    command.set_defaults(run=lambda options: print(shtab.complete(parser(), options.shell)))


def _manual(commands: Any) -> None:
    command = commands.add_parser("manual", help="the manual page, for man -l")
    command.set_defaults(run=lambda options: print(manual.page(parser()), end=""))


def _group(commands: Any, name: str, about: str) -> Any:
    return commands.add_parser(name, help=about).add_subparsers(required=True, metavar="COMMAND")


def _asked(of: Any, name: str, about: str, run: Run, *arguments: str) -> argparse.ArgumentParser:
    """A command for the node of `--dir`."""
    command: argparse.ArgumentParser = of.add_parser(name, help=about)
    for argument in arguments:
        command.add_argument(argument, metavar=argument.upper())
    command.add_argument("--dir", type=Path, default=Path("data"), metavar="DIR", dest="directory")
    command.set_defaults(run=run)
    return command


def _shown(of: Any, name: str, about: str, run: Run, *arguments: str) -> argparse.ArgumentParser:
    """One whose answer is for people, or JSON for scripts."""
    command = _asked(of, name, about, run, *arguments)
    command.add_argument("--json", action="store_true")
    return command


def _partition(text: str) -> int:
    if not text.isdecimal() or int(text) >= PARTITIONS:
        raise argparse.ArgumentTypeError(f"{text!a} is no number from 0 to {PARTITIONS - 1}")
    return int(text)


def _days(text: str) -> int:
    if not text.isdecimal() or not 0 < int(text) <= DAYS_MAX:
        raise argparse.ArgumentTypeError(f"{text!a} is no number from 1 to {DAYS_MAX}")
    return int(text)


def _nodes(text: str) -> int:
    if text == "cores":
        return len(os.sched_getaffinity(0))
    if not text.isdecimal() or not 0 < int(text) <= NODES_MAX:
        raise argparse.ArgumentTypeError(f"{text!a} is neither `cores` nor a number from 1 to {NODES_MAX}")
    return int(text)


def _copies(text: str) -> int:
    if not text.isdecimal() or not 0 < int(text) <= COPIES_MAX:
        raise argparse.ArgumentTypeError(f"{text!a} is no number from 1 to {COPIES_MAX}")
    return int(text)


def _minutes(text: str) -> int:
    if not text.isdecimal() or not 0 < int(text) <= TOKEN_MINUTES_MAX:
        raise argparse.ArgumentTypeError(f"{text!a} is no number from 1 to {TOKEN_MINUTES_MAX}")
    return int(text)


def _base_port(text: str) -> int:
    most = 65535 - max(STANDARD_PORTS.values())
    if not text.isdecimal() or int(text) > most:
        raise argparse.ArgumentTypeError(f"{text!a} is no number from 0 to {most}")
    return int(text)
