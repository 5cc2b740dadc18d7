"""A DNS server on the loopback, in a thread: answers from a table over UDP and TCP."""

from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Mapping, Sequence

import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdatatype
import dns.rrset

HOST = "127.0.0.1"
UDP_OCTETS_MAX = 512  # anything longer is cut, so that the asker must come by TCP
OCTETS_MAX = 65535
TTL_SECONDS = 60
PORTS_TRIED_MAX = 100
ALIASES_MAX = 20


class Nameserver:
    """A context: `names` as `{"example.test": {"MX": ["10 mx.example.test."]}}`; it may change meanwhile.

    Who asks for a name below `silent` hears nothing; `asked` are the names of all questions, as they came.
    """

    def __init__(
        self,
        names: Mapping[str, Mapping[str, Sequence[str]]],
        silent: str = "",
        host: str = HOST,
        port: int = 0,
    ) -> None:
        self.names = names
        self.silent = silent
        self.asked: list[str] = []
        self.host = host
        self._udp, self._tcp = _both(host, port)
        self.port: int = self._udp.getsockname()[1]
        self._threads = [threading.Thread(target=work) for work in (self._serve_udp, self._serve_tcp)]

    def __enter__(self) -> Nameserver:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._udp.sendto(b"", (self.host, self.port))  # an empty datagram, or connection, ends its thread
        socket.create_connection((self.host, self.port)).close()
        for thread in self._threads:
            thread.join()
        self._udp.close()
        self._tcp.close()

    def _serve_udp(self) -> None:
        while True:
            octets, peer = self._udp.recvfrom(4096)
            if not octets:
                return
            answer = self._answer(octets)
            if self.silent and self.asked[-1].endswith(f".{self.silent}"):
                continue
            wire = answer.to_wire(max_size=OCTETS_MAX)
            if len(wire) > UDP_OCTETS_MAX:
                answer.answer.clear()
                answer.flags |= dns.flags.TC
                wire = answer.to_wire()
            self._udp.sendto(wire, peer)

    def _serve_tcp(self) -> None:
        while True:
            connection, _ = self._tcp.accept()
            with connection, connection.makefile("rwb") as stream:
                head = stream.read(2)
                if not head:
                    return
                query = stream.read(struct.unpack(">H", head)[0])
                wire = self._answer(query).to_wire(max_size=OCTETS_MAX)
                stream.write(struct.pack(">H", len(wire)) + wire)

    def _answer(self, octets: bytes) -> dns.message.Message:
        query = dns.message.from_wire(octets)
        answer = dns.message.make_response(query, recursion_available=True)
        asked = query.question[0]
        self.asked.append(asked.name.to_text(omit_final_dot=True).lower())
        name = self._aliased(answer, self.asked[-1])
        records = self.names.get(name, {}).get(dns.rdatatype.to_text(asked.rdtype), ())
        if name not in self.names:
            answer.set_rcode(dns.rcode.NXDOMAIN)
        elif records:
            owner = dns.name.from_text(name)
            rrset = dns.rrset.from_text_list(owner, TTL_SECONDS, asked.rdclass, asked.rdtype, records)
            answer.answer.append(rrset)
        return answer

    def _aliased(self, answer: dns.message.Message, name: str) -> str:
        """Where its CNAMEs lead, which are put into the answer; a loop ends somewhere."""
        for _ in range(ALIASES_MAX):
            target = self.names.get(name, {}).get("CNAME")
            if not target:
                break
            answer.answer.append(dns.rrset.from_text(f"{name}.", TTL_SECONDS, "IN", "CNAME", target[0]))
            name = target[0].removesuffix(".")
        return name


def _both(host: str, port: int) -> tuple[socket.socket, socket.socket]:
    """UDP and TCP at one port; a port that is free for the one may be taken for the other."""
    for _ in range(PORTS_TRIED_MAX):
        udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        udp.bind((host, port))
        try:
            return udp, socket.create_server(udp.getsockname())
        except OSError:
            udp.close()
    raise OSError(f"of {PORTS_TRIED_MAX} ports none was free for UDP and TCP")
