"""What delivery answers: reply codes of RFC 5321 §4.2.3, enhanced codes of RFC 3463."""

from collections.abc import Iterable, Sequence

from protocols.smtp.reply import Reply

NO_SUCH_USER = Reply(550, "5.1.1", "No such user here")
RELAYING_DENIED = Reply(550, "5.7.1", "Relaying denied")
LOCAL_ONLY = Reply(550, "5.7.1", "Mail for other domains is not sent from here")
NO_SUCH_DOMAIN = Reply(550, "5.1.2", "This is no domain that can have mail")
NOT_YOUR_ADDRESS = Reply(550, "5.7.1", "This sender address is not yours")
NOT_YOUR_FROM = Reply(550, "5.7.1", "The address in From is not yours")
NOT_ONE_AUTHOR = Reply(554, "5.6.0", "From and Sender must stand once, with an address")
HEADER_TOO_LONG = Reply(552, "5.3.4", "The header is too long")
TOO_MANY_HOPS = Reply(554, "5.4.6", "Too many hops: this message loops")
MAILBOX_FULL = Reply(452, "4.2.2", "Mailbox is full")
DISK_FULL = Reply(452, "4.3.1", "Insufficient system storage, try again later")
NOT_KNOWN = Reply(451, "4.7.0", "Who has sent this cannot be known now, try again later")
UNAVAILABLE = Reply(451, "4.3.0", "Not possible now, try again later")


def accepted(identity: str) -> Reply:
    return Reply(250, "2.0.0", f"{identity} accepted")


def durable(identity: str, copies: int, dcs: Sequence[str]) -> Reply:
    """For who asked how many nodes, and which data centres, have it."""
    there = f" and in {', '.join(dcs)}" if dcs else ""
    nodes = f"{copies} nodes" if copies > 1 else "one node"
    return Reply(250, "2.0.0", f"{identity} accepted, durable on {nodes}{there}")


def no_such_dc(names: Iterable[str]) -> Reply:
    return Reply(501, "5.5.4", f"XDURABLE: the cluster has no data centre {', '.join(names)}")


def rejected(domain: str) -> Reply:
    """RFC 9989 §7.2: who reads it shall know why."""
    return Reply(550, "5.7.1", f"DMARC: {domain} wants mail rejected that is not authenticated as its own")


def one_for_all(replies: Sequence[Reply]) -> Reply:
    """SMTP has one reply to content: positive if every copy is durable, else the sender must try again."""
    refused = [reply for reply in replies if not reply.positive]
    transient = [reply for reply in refused if reply.code < 500]
    return (transient or refused or replies)[0]
