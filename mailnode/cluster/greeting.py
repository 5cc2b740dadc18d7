"""How two nodes of one host tell each other who they are, before frames go on a stream of `cluster/near`."""

from __future__ import annotations

from google.protobuf.message import DecodeError

from mailnode.cluster.hello import Hello, Met, Metadata, Stranger
from mailnode.cluster.near import Near
from mailnode.cluster.replica_messages import Member
from mailnode.pb.replica_pb2 import Greeting


async def greeted(near: Near, hello: Hello, to: Member) -> Met:
    """By the end that began it: whoever answers is whom we mean. Raises Stranger, and OSError."""
    await near.write(_said(hello.metadata(to)))
    greeting = _heard(await near.read())
    if greeting.refused:
        raise Stranger(greeting.refused)
    found = hello.met(greeting.said.items())
    if found.member != to:
        raise Stranger(f"another node, {found.member.node}, answers")
    return found


async def met(near: Near, hello: Hello) -> Met:
    """By the other end. Raises Stranger once that was told, and OSError."""
    try:
        found = hello.met(_heard(await near.read()).said.items())
    except Stranger as error:
        await near.write(Greeting(refused=str(error)).SerializeToString())
        raise
    await near.write(_said(hello.metadata(found.member)))
    return found


def _said(metadata: Metadata) -> bytes:
    said: bytes = Greeting(said=dict(metadata)).SerializeToString()
    return said


def _heard(octets: bytes) -> Greeting:
    try:
        return Greeting.FromString(octets)
    except DecodeError:
        raise Stranger("it does not say who it is") from None
