"""`/metrics` and `/healthz`."""

from __future__ import annotations

from collections.abc import Callable
from hmac import compare_digest
from typing import Any

from twisted.web import resource, server

from mailnode.http.exposition import CONTENT_TYPE, Exposition

Resource: Any = resource.Resource
Site: Any = server.Site


class Page(Resource):  # type: ignore[misc]
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


def site(exposition: Exposition, ailment: Callable[[], str], token: str, silence_seconds_max: int) -> Any:
    """`ailment` says in one line why nobody should be sent here; empty: all is well."""

    def health() -> tuple[int, str, bytes]:
        why = ailment()
        return (503 if why else 200), "text/plain; charset=utf-8", f"{why or 'ok'}\n".encode()

    root = Resource()
    root.putChild(b"metrics", Page(lambda: (200, CONTENT_TYPE, exposition.text()), token))
    root.putChild(b"healthz", Page(health, ""))
    made = Site(root, timeout=silence_seconds_max)
    made.displayTracebacks = False
    return made
