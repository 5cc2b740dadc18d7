"""What a SCRAM exchange is answered for an address that has no keys (RFC 5802 §9)."""

from hashlib import blake2b

from mailnode.clock import Clock
from mailnode.directory.address import canonical
from mailnode.directory.password import SALT_OCTETS, Cost
from mailnode.directory.rows import Accounts, intent_id
from mailnode.mailbox.nearby import RowNearby, nothing
from mailnode.mailbox.verbs import decided
from mailnode.pb.change_pb2 import Intent, PutRow
from mailnode.store.keys import Kind, directory_account
from protocols.sasl import scram

SECRET_ACCOUNT = directory_account(0)
SECRET_ROW = b"made up"
SECRET_OCTETS = 32


class MadeUp:
    """Keys that nobody can prove, the same each time.

    Their secret is stored: a salt that changes with a restart would show that there is no such address.
    """

    def __init__(self, accounts: Accounts, clock: Clock, cost: Cost, nearby: RowNearby = nothing) -> None:
        self._accounts = accounts
        self._nearby = nearby
        self._clock = clock
        self._cost = cost
        self._secret = b""

    async def keys(self, login: str) -> scram.Keys:
        """Raises NotKnown."""
        secret = self._secret = self._secret or await self._stored()

        def digest(purpose: bytes) -> bytes:
            return blake2b(str(canonical(login)).encode(), key=secret, person=purpose).digest()

        salt, stored_key, server_key = digest(b"salt"), digest(b"stored"), digest(b"server")
        return scram.Keys(salt[:SALT_OCTETS], self._cost.scram_iterations, stored_key[:32], server_key[:32])

    async def _stored(self) -> bytes:
        """Drawn by whoever comes first, and never another one."""
        if near := await self._nearby(SECRET_ACCOUNT, Kind.CREDENTIAL, SECRET_ROW):
            return near
        account = await self._accounts.open(SECRET_ACCOUNT)
        drawn = self._clock.random(SECRET_OCTETS)
        put_row = PutRow(kind=Kind.CREDENTIAL, key=SECRET_ROW, value=drawn, if_absent=True)
        decided(await account.apply(Intent(id=intent_id(self._clock), put_row=put_row)))
        return await account.row(Kind.CREDENTIAL, SECRET_ROW)
