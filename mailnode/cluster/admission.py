"""How a cluster is begun, and how one more node comes in: what is asked of etcd for it.

The cluster's secret never lies in etcd but sealed by a token's key, for as long as the token is good; and the
key of its authority never but sealed by that secret. So who can read etcd alone gets neither, and whoever was
let in by a token signs its own certificate: nobody need run for it, and no machine is the only one that can.

Invariants: a token is used by the transaction that gives its node a name, so it is good once; a name belongs
to whoever has its private key, and is nobody else's until it is given up; what was cut off anywhere can be
done again with the same key, and is done once.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from google.protobuf.message import DecodeError

from mailnode.clock import Clock
from mailnode.cluster import etcd_rows as rows
from mailnode.cluster.authority import Authority, key_of, key_pem
from mailnode.cluster.etcd import Drop, Etcd, Pair, Put, Unchanged
from mailnode.cluster.etcd_rows import Cluster, Home, Keys, Name
from mailnode.cluster.secret import Secret
from mailnode.cluster.tokens import SECRET_OCTETS, Token
from mailnode.pb import cluster_pb2 as pb

_PUTS_MAX = 100  # of a transaction, of which etcd takes 128


class Refused(Exception):
    """The text is one line for whoever asked."""


class NameTaken(Refused):
    pass


@dataclass(frozen=True, slots=True)
class Founded:
    """What etcd has from the beginning."""

    cluster: Cluster
    home: Home
    """The first of the 16."""
    authority: Authority
    domains: Sequence[Put]
    """What else there is from the beginning: domains and their keys."""


@dataclass(frozen=True, slots=True)
class Admission:
    """What a node comes in by."""

    authority: Authority
    secret: Secret = field(repr=False)
    hostname: str
    """Of the node that made the token."""


async def found(etcd: Etcd, keys: Keys, founded: Founded, secret: Secret, name: str, owner: Name) -> None:
    """Make the cluster, with a name for its first node, unless it is made. Raises EtcdError, Refused."""
    if await authority_in(etcd, keys) == founded.authority.certificate:
        return
    for kind in ("row", "node"):
        async for _, pairs in etcd.pages(*keys.kind(kind)):
            if pairs:
                raise Refused(f"etcd holds rows of a cluster under {keys.prefix!r}: choose another --prefix")
    made = [
        Put(keys.cluster(), rows.cluster_octets(founded.cluster)),
        Put(keys.home(0), rows.home_octets(founded.home)),
        Put(keys.authority(), _authority_octets(founded.authority, secret)),
        Put(keys.name(name), rows.name_octets(owner)),
    ]
    for begin in range(0, len(founded.domains), _PUTS_MAX):  # not those of a cluster that is there
        await etcd.transact([Unchanged(keys.cluster(), 0)], founded.domains[begin : begin + _PUTS_MAX])
    answer = await etcd.transact([Unchanged(put.key, 0) for put in made[:3]], made)
    if not answer.is_done and await authority_in(etcd, keys) != founded.authority.certificate:
        raise Refused(
            f"there is a cluster under {keys.prefix!r} already: `mailnode cluster join` makes a node of it, "
            "another --prefix makes another cluster"
        )


async def cluster_in(etcd: Etcd, keys: Keys) -> Cluster:
    """Raises EtcdError and Refused."""
    pair = await etcd.get(keys.cluster())
    if pair is None:
        where = ", ".join(etcd.endpoints)
        raise Refused(f"{where} hold no cluster under {keys.prefix!r}: `mailnode cluster init` makes one")
    return rows.cluster_of(pair.value)


async def authority_in(etcd: Etcd, keys: Keys) -> x509.Certificate | None:
    """Of the cluster that is there. Raises EtcdError and Refused."""
    pair = await etcd.get(keys.authority())
    return None if pair is None else x509.load_der_x509_certificate(_authority_row(pair).certificate)


async def authority_of(etcd: Etcd, keys: Keys, secret: Secret) -> Authority:
    """With its key. Raises EtcdError and Refused."""
    await cluster_in(etcd, keys)
    pair = await etcd.get(keys.authority())
    if pair is None:
        raise Refused("the cluster was not made by `mailnode cluster init`: it has no authority")
    row = _authority_row(pair)
    try:
        key = key_of(secret.open(row.sealed, _about(row.certificate)))
        return Authority(x509.load_der_x509_certificate(row.certificate), key)
    except ValueError:
        raise Refused(f"etcd holds another cluster under {keys.prefix!r}") from None


# -- tokens


async def token_for(
    etcd: Etcd, keys: Keys, secret: Secret, hostname: str, seconds: int, clock: Clock
) -> Token:
    """A new one, which etcd forgets after so many seconds. Raises EtcdError and Refused."""
    await authority_of(etcd, keys, secret)
    ends = clock.now_microseconds() + seconds * 1_000_000
    token = Token(etcd.endpoints, keys.prefix, clock.random(SECRET_OCTETS), ends)
    opened = pb.Admission(secret=secret.octets, hostname=hostname)
    row = pb.TokenRow(sealed=token.opens.seal(opened.SerializeToString(), _ABOUT_TOKEN))
    key = keys.token(token.name)
    put = Put(key, row.SerializeToString(), await etcd.grant(seconds))
    if not (await etcd.transact([Unchanged(key, 0)], [put])).is_done:
        raise Refused("etcd did not take the token: once more makes another one")
    return token


async def admitted(etcd: Etcd, token: Token, clock: Clock) -> tuple[Admission, Unchanged]:
    """What the token opens, and the condition under which it is good. Raises EtcdError and Refused."""
    keys = Keys(token.prefix)
    pair = await etcd.get(keys.token(token.name))
    if pair is None:
        is_over = token.ends <= clock.now_microseconds()
        why = "its time is over" if is_over else "it was used, or its time is over"
        raise Refused(f"the token is not good any more: {why}; `mailnode cluster token` makes another one")
    try:
        opened = pb.Admission.FromString(
            token.opens.open(pb.TokenRow.FromString(pair.value).sealed, _ABOUT_TOKEN)
        )
        secret = Secret(opened.secret)
    except (DecodeError, ValueError) as error:
        raise Refused(f"what etcd keeps for the token is not what was put there: {error}") from None
    opens = Admission(await authority_of(etcd, keys, secret), secret, opened.hostname)
    return opens, Unchanged(pair.key, pair.revision)


async def name_taken(etcd: Etcd, keys: Keys, token: Unchanged, name: str, owner: Name) -> None:
    """The name is the owner's, and the token is used. Raises EtcdError, where that may be so, and Refused."""
    put = Put(keys.name(name), rows.name_octets(owner))
    nobodys = [Unchanged(key, 0) for key in (put.key, keys.node(name))]
    answer = await etcd.transact([token, *nobodys], [Drop(token.key), put], [each.key for each in nobodys])
    if answer.is_done or await is_owner(etcd, keys, name, owner.key):
        return
    if answer.pairs:
        raise NameTaken(f"the name {name} is taken: choose another --name")
    raise Refused("the token was used meanwhile; `mailnode cluster token` makes another one")


async def name_replaced(etcd: Etcd, keys: Keys, token: Unchanged, name: str, owner: Name) -> None:
    """The name of a node that is lost with its disk is the owner's, and the token is used.

    What the map says of its shard stays: the new one is another, and learns. Raises EtcdError, where that may
    be so, and Refused.
    """
    named, node = [await etcd.get(key) for key in (keys.name(name), keys.node(name))]
    if named is None and node is None:
        raise Refused(f"no node is named {name}: `join --name {name}` makes one")
    conditions = [
        Unchanged(key, pair.revision if pair is not None else 0)
        for key, pair in ((keys.name(name), named), (keys.node(name), node))
    ]
    if node is not None:
        conditions.append(Unchanged(keys.lease(rows.node_of(name, node.value).member), 0))
    if any(rows.member_of(rest).node == name for rest in await _all(etcd, keys, "lease")):
        raise Refused(f"{name} runs: stop it first")
    taken = Put(keys.name(name), rows.name_octets(owner))
    answer = await etcd.transact([token, *conditions], [Drop(token.key), taken])
    if not answer.is_done and not await is_owner(etcd, keys, name, owner.key):
        raise Refused(f"the token was used, or {name} came back, meanwhile: look, and try again")


async def lost_with(etcd: Etcd, keys: Keys, name: str) -> int:
    """Of how many partitions no other node has a copy in sync. Raises EtcdError."""
    found = [rows.row_of(value, 0) for value in (await _all(etcd, keys, "row")).values()]
    return sum(all(member.node == name for member in row.in_sync) for row in found)


async def is_owner(etcd: Etcd, keys: Keys, name: str, key: bytes) -> bool:
    """Whether it was given to who has that key. Raises EtcdError."""
    pair = await etcd.get(keys.name(name))
    return pair is not None and rows.name_of(pair.value).key == key


async def names_in(etcd: Etcd, keys: Keys) -> dict[str, Name | None]:
    """Those that are taken; None: of a node of which only the registry knows. Raises EtcdError."""
    found: dict[str, Name | None] = dict.fromkeys(await _all(etcd, keys, "node"))
    return found | {name: rows.name_of(value) for name, value in (await _all(etcd, keys, "name")).items()}


def next_name(taken: Collection[str], begin: str = "") -> str:
    """The first nodeN that nobody has, with `begin` before it."""
    numbers = range(1, len(taken) + 2)
    return next(name for number in numbers if (name := f"{begin}node{number}") not in taken)


async def _all(etcd: Etcd, keys: Keys, kind: str) -> dict[str, bytes]:
    """What there is of a kind, by the rest of its key."""
    found: dict[str, bytes] = {}
    async for _, pairs in etcd.pages(*keys.kind(kind)):
        found |= {keys.parted(pair.key)[1]: pair.value for pair in pairs}
    return found


# -- octets

_ABOUT_TOKEN = b"admission"


def _about(certificate: bytes) -> bytes:
    return b"authority " + certificate


def _authority_octets(authority: Authority, secret: Secret) -> bytes:
    certificate = authority.certificate.public_bytes(serialization.Encoding.DER)
    sealed = secret.seal(key_pem(authority.key), _about(certificate))
    return pb.AuthorityRow(certificate=certificate, sealed=sealed).SerializeToString()


def _authority_row(pair: Pair) -> pb.AuthorityRow:
    try:
        return pb.AuthorityRow.FromString(pair.value)
    except DecodeError:
        raise Refused(f"etcd holds something else under {pair.key!a}") from None
