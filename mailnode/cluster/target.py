"""How gRPC is told of a unix socket."""

from pathlib import Path
from urllib.parse import quote

_PATH_OCTETS_MAX = 107
"""sun_path of unix(7), with its final NUL."""


def target(socket: Path) -> str:
    """Raises OSError when the path is longer than the kernel takes."""
    path = str(socket.absolute())
    if len(path.encode()) > _PATH_OCTETS_MAX:
        raise OSError(
            f"{path} is longer than the {_PATH_OCTETS_MAX} octets that a unix socket's path may have"
        )
    return f"unix:{quote(path)}"
