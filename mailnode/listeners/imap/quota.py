"""GETQUOTA and GETQUOTAROOT (RFC 9208 §4.1): all mailboxes of an account have one root, and it alone."""

from __future__ import annotations

from mailnode.listeners.imap.client import Client
from mailnode.listeners.imap.refusal import Refused
from mailnode.mailbox.quota import Usage
from protocols.imap import response
from protocols.imap.answer import Ok
from protocols.imap.event import GetQuota, GetQuotaRoot

ROOT = "User quota"
"""Named as Dovecot names it."""
_STORAGE_OCTETS = 1024  # RFC 9208 §5.1


async def get_quota(client: Client, event: GetQuota) -> None:
    if event.root != ROOT:
        raise Refused("NONEXISTENT")
    await _say(client, event)
    await client.end(event, Ok("Said"))


async def get_quota_root(client: Client, event: GetQuotaRoot) -> None:
    """Of a mailbox that is there: the others would have the same root."""
    await client.mailbox(event.mailbox, "NONEXISTENT")
    client.say(event, response.quota_root(client.mailbox_name(event.mailbox), ROOT))
    await _say(client, event)
    await client.end(event, Ok("Said"))


async def _say(client: Client, event: GetQuota | GetQuotaRoot) -> None:
    usage = await client.account.usage()
    client.say(event, response.quota(ROOT, _resources(usage, client.limits.mailboxes_max)))


def _resources(usage: Usage, mailboxes_max: int) -> dict[str, tuple[int, int]]:
    """Of each resource that has a limit what is used, and the limit."""
    resources = {"MAILBOX": (usage.mailboxes, mailboxes_max)}
    if usage.quota.messages:
        resources["MESSAGE"] = usage.row.messages, usage.quota.messages
    if usage.quota.octets:
        resources["STORAGE"] = _kibi(usage.row.octets), _kibi(usage.quota.octets)
    return resources


def _kibi(octets: int) -> int:
    return -(-octets // _STORAGE_OCTETS)
