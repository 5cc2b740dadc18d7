"""Marionette, the remote control that Mozilla's programs carry: a script of ours runs inside the program.

The wire: `length:JSON`, a request `[0, id, command, parameters]`, its answer `[1, id, error, result]`.
"""

import json
import socket
from collections.abc import Sequence
from pathlib import Path
from typing import Any

SCRIPT_SECONDS_MAX = 40.0


class ScriptFault(Exception):
    """A script threw, or did not end in its time."""


class Marionette:
    """A session in the program's own ("chrome") context, where its whole machinery can be reached.

    `library`: functions that each script may call.
    """

    def __init__(self, port: int, library: Path) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), SCRIPT_SECONDS_MAX + 5)
        self._file = self._socket.makefile("rb")
        self._id = 0
        self._library = library.read_text()
        self._read()  # its greeting
        self.command("WebDriver:NewSession", {"capabilities": {}})
        self.command("WebDriver:SetTimeouts", {"script": int(SCRIPT_SECONDS_MAX * 1000)})
        self.command("Marionette:SetContext", {"value": "chrome"})

    def call(self, function: str, *arguments: object) -> Any:
        """Await a function of the library; its value as JSON carries it."""
        script = f"""{self._library}
            const [...given] = arguments;
            const resolve = given.pop();
            {function}(...given).then(value => resolve({{value}}), error => resolve(
                {{error: String(error) + "\\n" + (error.stack ?? "")}}));
        """
        parameters = {"script": script, "args": list(arguments), "sandbox": "system", "newSandbox": False}
        result = self.command("WebDriver:ExecuteAsyncScript", parameters)["value"]
        if "error" in result:
            raise ScriptFault(f"{function}{arguments}: {result['error']}")
        return result.get("value")

    def command(self, name: str, parameters: object) -> Any:
        self._id += 1
        octets = json.dumps([0, self._id, name, parameters]).encode()
        self._socket.sendall(b"%d:%s" % (len(octets), octets))
        _, _, error, result = self._read()
        if error:
            raise ScriptFault(f"{name}: {error['error']}: {error['message']}")
        return result

    def _read(self) -> Sequence[Any]:
        length = b""
        while (octet := self._file.read(1)) != b":":
            if not octet:
                raise ScriptFault("the program ended")
            length += octet
        message: Sequence[Any] = json.loads(self._file.read(int(length)))
        return message

    def close(self) -> None:
        self._file.close()
        self._socket.close()
