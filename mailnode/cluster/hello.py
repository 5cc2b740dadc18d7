"""Who is at the other end of a stream between nodes: told in the metadata of the call, by both."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple, Protocol

from google.protobuf.message import DecodeError

from mailnode.cluster import frames
from mailnode.cluster.replica_messages import Member
from mailnode.pb import replica_pb2 as pb

Metadata = tuple[tuple[str, bytes], ...]

_KEY = "hello-bin"


class Stranger(Exception):
    """Not whom we could speak to; the text says why."""


class Met(NamedTuple):
    """Who is at the other end."""

    member: Member
    run: int
    """Of its process."""
    takes_passing: bool
    """Frames between the pieces of another."""


class Beside(Protocol):
    """What is told along with it (`cluster/generations`)."""

    @property
    def version(self) -> int:
        """Another one when it says something else."""

    def metadata(self) -> Metadata: ...

    def hear(self, said: Iterable[tuple[str, Any]] | None) -> None: ...


class Nothing:
    version = 0

    def metadata(self) -> Metadata:
        return ()

    def hear(self, said: Iterable[tuple[str, Any]] | None) -> None:
        """It says nothing of interest."""


_NOTHING = Nothing()


class Hello:
    """Of this node: what it says, and whom it listens to."""

    def __init__(self, cluster: str, me: Member, run: int, beside: Beside = _NOTHING) -> None:
        """`cluster`: its id, the same at all its nodes; `run`: of this process."""
        self._beside = beside
        self._cluster = cluster
        self._me = me
        self._run = run

    @property
    def version(self) -> int:
        """Another one when it should be said anew."""
        return self._beside.version

    def metadata(self, to: Member) -> Metadata:
        said = pb.Hello(
            cluster=self._cluster,
            member=frames.member(self._me),
            format=frames.FORMAT,
            to=frames.member(to),
            run=frames.number(self._run),
            passing=True,
        )
        return ((_KEY, said.SerializeToString()), *self._beside.metadata())

    def met(self, said: Iterable[tuple[str, Any]] | None) -> Met:
        """Who says so, and means this node. Raises Stranger."""
        said = tuple(said or ())
        met, hello = _read(said)
        other = met.member
        if hello.cluster != self._cluster:
            raise Stranger(
                f"{other.node} is of the cluster {hello.cluster!r}, this is one of {self._cluster!r}"
            )
        if hello.format not in frames.FORMATS:
            raise Stranger(f"{other.node} speaks the format {hello.format}, this node {frames.FORMAT}")
        meant = _member(hello.to)
        if meant != self._me:
            raise Stranger(f"{other.node} means the shard {_named(meant)}, this one is {_named(self._me)}")
        self._beside.hear(said)
        return met


def _read(said: Iterable[tuple[str, Any]]) -> tuple[Met, pb.Hello]:
    found = next((value for key, value in said if key == _KEY), None)
    if not isinstance(found, bytes):
        raise Stranger("it does not say who it is")
    try:
        hello = pb.Hello.FromString(found)
        return Met(_member(hello.member), frames.number_of(hello.run), hello.passing), hello
    except DecodeError:
        raise Stranger("it does not say who it is") from None
    except frames.BadFrame as error:
        raise Stranger(str(error)) from None


def _member(said: pb.Member) -> Member:
    try:
        return frames.member_of(said)
    except frames.BadFrame as error:
        raise Stranger(str(error)) from None


def check_certificate(node: str, auth: Mapping[str, Iterable[bytes]]) -> None:
    """That the peer's certificate, where there is TLS, is this node's. Raises Stranger.

    `auth`: what gRPC says of the connection, `ServicerContext.auth_context()`.
    """
    if b"ssl" not in auth.get("transport_security_type", ()):
        return
    names = [name.decode(errors="replace") for name in auth.get("x509_subject_alternative_name", ())]
    if node not in names:
        raise Stranger(f"the certificate of {', '.join(names) or 'nobody'} is not that of node {node}")


def _named(member: Member) -> str:
    return f"{member.node}/{member.incarnation:x}"
