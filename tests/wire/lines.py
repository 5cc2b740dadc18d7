"""A client of any of the protocols that says a line at a time, and hears one."""

import socket

SECONDS_MAX = 20.0


def answer(port: int, *lines: bytes, source: str = "127.0.0.1") -> bytes:
    """To the last of the lines, each said once the one before is answered; `source` is of this machine."""
    with socket.create_connection(("127.0.0.1", port), SECONDS_MAX, (source, 0)) as connection:
        file = connection.makefile("rwb")
        said = file.readline()
        for line in lines:
            file.write(line + b"\r\n")
            file.flush()
            said = file.readline()
            while said[3:4] == b"-":  # of an EHLO
                said = file.readline()
        return said
