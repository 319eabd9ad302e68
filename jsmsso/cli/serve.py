"""``jsmsso serve``: the runtime."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit

import typer

from jsmsso.cli.render import ProfileOption, progress_line, warn
from jsmsso.errors import UsageError

app = typer.Typer(add_completion=False)


def _option(help_: str, metavar: str, **more: Any) -> Any:
    return typer.Option(help=help_, metavar=metavar, show_default=False, **more)


@app.command()
def serve(
    context: typer.Context,
    bind: Annotated[str, _option("Listen here. Default: 127.0.0.1 and the port of a loopback public_url, else 8080.", "HOST:PORT")] = "",
    unix: Annotated[str, _option("Listen on a unix socket instead.", "PATH")] = "",
    workers: Annotated[int, _option("Processes. Default: one per processor, two at least, eight at most.", "N", min=0, max=64)] = 0,
    tls_cert: Annotated[str, _option("Speak TLS with this certificate chain (PEM).", "FILE")] = "",
    tls_key: Annotated[str, _option("The certificate's private key (PEM).", "FILE")] = "",
    ops_bind: Annotated[
        str, _option("For operators only: /metrics, /healthz and /readyz with details, on an address of its own.", "HOST:PORT")
    ] = "",
    drain: Annotated[int, _option("After a signal to stop, answer for so long while /readyz says so.", "SECONDS", min=0, max=300)] = 0,
    profile: ProfileOption = "",
) -> None:
    """Serve the portal links and the callback until Ctrl-C or SIGTERM. SIGHUP reads the profile again."""
    from jsmsso.http_addresses import is_loopback
    from jsmsso.profile.secrets import readable_by_others
    from jsmsso.runtime.listening import Listening
    from jsmsso.runtime.preparing import prepare
    from jsmsso.runtime.serving import serve

    profile = profile or (context.find_root().obj or {}).get("profile", "")
    if bool(tls_cert) != bool(tls_key):
        raise UsageError("--tls-cert and --tls-key belong together")
    if bind and unix:
        raise UsageError("--bind and --unix exclude each other")
    prepared = prepare(profile)
    host, port = _address("--bind", bind) if bind else _default_address(prepared.profile.public_url)
    operations = _address("--ops-bind", ops_bind) if ops_bind else None
    if operations is not None and not unix and operations == (host, port):
        raise UsageError("--ops-bind must not be the address that customers reach", "Such as 127.0.0.1:9464.")
    for note in (*prepared.notes, *readable_by_others(prepared.profile, base=prepared.path.parent)):
        warn(note)
    if operations is not None and not is_loopback(operations[0]):
        warn(f"whoever reaches {ops_bind} can read the metrics and the state of this server: see that only operators do")
    listening = Listening(
        host=host,
        port=port,
        unix=Path(unix) if unix else None,
        tls_certificate=Path(tls_cert) if tls_cert else None,
        tls_key=Path(tls_key) if tls_key else None,
        workers=workers or min(max(os.cpu_count() or 2, 2), 8),
    )
    progress_line(f"Serving {prepared.profile.public_url} on {listening} with {listening.workers} workers. Ctrl-C stops.")
    serve(prepared, listening, profile, operations=operations, drain=float(drain))


def _address(option: str, text: str) -> tuple[str, int]:
    """HOST:PORT, [::1]:PORT, :PORT or PORT."""
    host, _, port = text.rpartition(":")
    host = host.strip("[]") or "127.0.0.1"
    if not port.isdecimal() or not 0 < int(port) < 65536 or (":" in host and not text.startswith("[")):
        raise UsageError(f"{option} {text!r} is no HOST:PORT", "Such as 127.0.0.1:8080 or [::1]:8080.")
    return host, int(port)


def _default_address(public_url: str) -> tuple[str, int]:
    from jsmsso.http_addresses import is_loopback

    parts = urlsplit(public_url)
    if not is_loopback(parts.hostname or ""):
        return "127.0.0.1", 8080
    return "::1" if parts.hostname == "::1" else "127.0.0.1", parts.port or (443 if parts.scheme == "https" else 80)
