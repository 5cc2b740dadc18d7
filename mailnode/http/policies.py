"""The MTA-STS policies of our domains, for other servers: RFC 8461 §3.3."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from mailnode.http.site import BoundedSite, Resource
from mailnode.limits import Limits

HOST_PREFIX = "mta-sts."


class Policies(Resource):  # type: ignore[misc]  # Twisted has no types
    """A page by the host that is asked for."""

    isLeaf = True

    def __init__(self, policy: Callable[[str], str]) -> None:
        super().__init__()
        self._policy = policy

    def render_GET(self, request: Any) -> bytes:
        host = request.getRequestHostname().decode("ascii", "replace").lower().removesuffix(".")
        text = self._policy(host.removeprefix(HOST_PREFIX)) if host.startswith(HOST_PREFIX) else ""
        request.setHeader("content-type", "text/plain; charset=utf-8")
        if not text:
            request.setResponseCode(404)
            return b"no such policy\n"
        return text.encode()


def policies(policy: Callable[[str], str], limits: Limits) -> Any:
    """`policy` gives the text of a domain's, empty where it is none of ours."""
    root, known = Resource(), Resource()
    root.putChild(b".well-known", known)
    known.putChild(b"mta-sts.txt", Policies(policy))
    return BoundedSite(root, limits)
