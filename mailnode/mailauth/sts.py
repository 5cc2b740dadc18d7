"""The MTA-STS policy that a domain has on the web: RFC 8461 §3.3."""

from __future__ import annotations

import asyncio
import http.client
import socket
import ssl
from urllib.parse import urlsplit

from mailnode.mailauth import zone
from mailnode.mailauth.published import policy_url
from mailnode.mailauth.resolver import Answers
from protocols.sts import Policy, read_policy

HTTPS_PORT = 443
POLICY_OCTETS_MAX = 64 * 1024  # RFC 8461 §3.3
FETCH_SECONDS_MAX = 20.0  # RFC 8461 §3.3: a minute; somebody looks on


class Absent(Exception):
    """There is none; the text says why."""


async def fetched(resolver: Answers, domain: str, port: int = HTTPS_PORT) -> Policy:
    """From the first address that its host has; raises Absent, or Unavailable."""
    url = urlsplit(policy_url(domain))
    host = url.hostname or ""
    addresses = await zone.addresses(resolver, host)
    if not addresses:
        raise Absent(f"{host} has no address")
    try:
        status, kind, octets = await asyncio.to_thread(_got, addresses[0], port, host, url.path)
    except (OSError, http.client.HTTPException) as error:  # ssl.SSLError is an OSError
        raise Absent(f"{host} at {addresses[0]}: {error}") from None
    if status != http.client.OK:  # a redirect is none either
        raise Absent(f"{host} answers {status}")
    policy = read_policy(octets) if kind == "text/plain" else None
    if policy is None:
        raise Absent(f"what {host} gives is no policy")
    return policy


def _got(address: str, port: int, host: str, path: str) -> tuple[int, str, bytes]:
    """Status, media type and content."""
    connection = http.client.HTTPConnection(host)
    raw = socket.create_connection((address, port), FETCH_SECONDS_MAX)
    try:
        connection.sock = ssl.create_default_context().wrap_socket(raw, server_hostname=host)
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status, answer.headers.get_content_type(), answer.read(POLICY_OCTETS_MAX)
    finally:
        connection.close()
        raw.close()
