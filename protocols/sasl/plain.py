"""PLAIN, RFC 4616, and LOGIN, draft-murchison-sasl-login: the password itself, to be sent under TLS only."""

from __future__ import annotations

from protocols.fault import Fault
from protocols.sasl.step import Challenge, Credentials, Step, text

USERNAME = Challenge(b"Username:")
PASSWORD = Challenge(b"Password:")


class PlainServer:
    __slots__ = ()

    def start(self) -> Challenge:
        return Challenge(b"")

    def step(self, response: bytes) -> Step:
        """message = [authzid] UTF8NUL authcid UTF8NUL passwd, RFC 4616 §2"""
        fields = response.split(b"\0")
        if len(fields) != 3:
            return Fault("invalid-encoding", "Expected [authzid] NUL authcid NUL password")
        try:
            authzid = text(fields[0]) if fields[0] else ""
            return Credentials(authzid, text(fields[1]), text(fields[2]))
        except Fault as fault:
            return fault


class LoginServer:
    __slots__ = ("_user",)

    def __init__(self) -> None:
        self._user = ""

    def start(self) -> Challenge:
        return USERNAME

    def step(self, response: bytes) -> Step:
        """First the user, which some clients send as the initial response, then the password."""
        try:
            answer = text(response)
        except Fault as fault:
            return fault
        if self._user:
            return Credentials("", self._user, answer)
        self._user = answer
        return PASSWORD


class PlainClient:
    __slots__ = ("_message",)

    def __init__(self, authcid: str, password: str) -> None:
        self._message = b"\0" + authcid.encode() + b"\0" + password.encode()

    def initial(self) -> bytes:
        return self._message

    def step(self, challenge: bytes) -> bytes:
        """The server did not take the initial response: it asks by an empty challenge."""
        if challenge:
            raise Fault("other-error", "PLAIN has no challenge")
        return self._message


class LoginClient:
    """Answers in order, whatever the server calls what it asks for."""

    __slots__ = ("_answers",)

    def __init__(self, authcid: str, password: str) -> None:
        self._answers = [password.encode(), authcid.encode()]

    def initial(self) -> bytes | None:
        return None

    def step(self, challenge: bytes) -> bytes:
        if not self._answers:
            raise Fault("other-error", "LOGIN asks for a name and a password only")
        return self._answers.pop()
