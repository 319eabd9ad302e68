"""Where the server listens, and whether it can."""

from __future__ import annotations

import os
import socket
from dataclasses import dataclass
from pathlib import Path

from jsmsso.errors import PortTaken


@dataclass(frozen=True, slots=True)
class Listening:
    """Where to listen: an address and port, or a unix socket; with a certificate, over TLS."""

    host: str = "127.0.0.1"
    port: int = 8080
    unix: Path | None = None
    tls_certificate: Path | None = None
    tls_key: Path | None = None
    workers: int = 2

    def __str__(self) -> str:
        if self.unix is not None:
            return f"unix:{self.unix}"
        scheme = "https" if self.tls_certificate else "http"
        return f"{scheme}://{f'[{self.host}]' if ':' in self.host else self.host}:{self.port}"


def check_free(listening: Listening) -> None:
    """Raise :class:`PortTaken` unless nobody listens there: granian would share the port with a forgotten server."""
    if listening.unix is not None:
        _free_socket(listening.unix)
        return
    family = socket.AF_INET6 if ":" in listening.host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((listening.host, listening.port))
            probe.listen(1)
        except OSError as error:
            raise PortTaken(
                f"cannot listen on {listening}: {error.strerror}", "Another server may listen there. Choose another with --bind HOST:PORT."
            ) from error


def _free_socket(path: Path) -> None:
    """Remove a socket that a server which died has left; raise :class:`PortTaken` for one that answers, and for a file."""
    taken = f"cannot listen on unix:{path}"
    if not path.parent.is_dir() or not os.access(path.parent, os.W_OK):
        raise PortTaken(f"{taken}: its folder is not there, or not ours to write", "Make it first, or choose another with --unix PATH.")
    if not path.exists():
        return
    if not path.is_socket():
        raise PortTaken(f"{taken}: there is a file that is no socket", "Choose another with --unix PATH.")
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        try:
            probe.connect(str(path))
        except ConnectionRefusedError:
            path.unlink(missing_ok=True)
            return
        except OSError as error:
            raise PortTaken(f"{taken}: {error.strerror}", "Choose another with --unix PATH.") from error
    raise PortTaken(f"{taken}: it is in use", "Another server listens there. Choose another with --unix PATH.")
