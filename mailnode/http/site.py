"""`/metrics` and `/healthz`."""

from __future__ import annotations

from collections.abc import Callable
from hmac import compare_digest
from typing import Any

from twisted.web import http, resource, server

from mailnode.http.exposition import CONTENT_TYPE, Exposition
from mailnode.limits import Limits

Resource: Any = resource.Resource
Site: Any = server.Site
HttpChannel: Any = http.HTTPChannel


class Page(Resource):  # type: ignore[misc]  # Twisted has no types
    """`text` gives status, type and content; with a `token` only who bears it in the request is told."""

    isLeaf = True

    def __init__(self, text: Callable[[], tuple[int, str, bytes]], token: str) -> None:
        super().__init__()
        self._text = text
        self._token = token

    def render_GET(self, request: Any) -> bytes:
        said = request.getHeader("authorization") or ""
        if self._token and not compare_digest(said.encode(), f"Bearer {self._token}".encode()):
            request.setResponseCode(401)
            request.setHeader("www-authenticate", "Bearer")
            return b"a token is needed\n"
        status, content_type, content = self._text()
        request.setResponseCode(status)
        request.setHeader("content-type", content_type)
        return content


class Channel(HttpChannel):  # type: ignore[misc]  # Twisted has no types
    """A connection that its site counts."""

    def connectionLost(self, reason: Any) -> None:
        self.factory.open -= 1
        super().connectionLost(reason)


class BoundedSite(Site):  # type: ignore[misc]  # Twisted has no types
    """No more connections than `http_connections_max`: one too many is closed."""

    protocol = Channel

    def __init__(self, root: Any, limits: Limits) -> None:
        super().__init__(root, timeout=limits.http_silence_seconds_max)
        self.displayTracebacks = False
        self.open = 0
        self._connections_max = limits.http_connections_max

    def buildProtocol(self, addr: Any) -> Any:
        if self.open >= self._connections_max:
            return None
        self.open += 1
        return super().buildProtocol(addr)


def site(exposition: Exposition, ailment: Callable[[], str], token: str, limits: Limits) -> Any:
    """`ailment` says in one line why nobody should be sent here; empty: all is well."""

    def health() -> tuple[int, str, bytes]:
        why = ailment()
        return (503 if why else 200), "text/plain; charset=utf-8", f"{why or 'ok'}\n".encode()

    root = Resource()
    root.putChild(b"metrics", Page(lambda: (200, CONTENT_TYPE, exposition.text()), token))
    root.putChild(b"healthz", Page(health, ""))
    return BoundedSite(root, limits)
