"""What large files cost a worker in memory: one on its way in to JSM, one on its way out, against the local JSM."""

from __future__ import annotations

import socket
import tempfile
from dataclasses import dataclass
from pathlib import Path

from jsmsso.sandbox.jsm_site import LocalSite
from jsmsso.sandbox.local_jsm import LocalJsm
from tests.oidc.provider import running
from tests.portal.hosted_site import SERVICE_ACCOUNT, HostedSite
from tests.portal.served_apart import PIECE, Apart, served_apart

SIZE = 90_000_000  # bytes
LIMIT = 100 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Memory:
    """Megabytes of a worker: once it was in use, and the most while a file of ``size`` bytes passed through."""

    size: int
    in_use: float
    upload: float
    download: float


def measure(size: int = SIZE) -> Memory:
    """Up as a comment's file, and down again."""
    with tempfile.TemporaryDirectory() as folder, running() as provider, LocalJsm(LocalSite(accounts=(SERVICE_ACCOUNT,))) as jsm:
        jsm.site.attachment_limit = LIMIT
        hosted = HostedSite(Path(folder), provider, jsm)
        issue = hosted.request(hosted.ann)
        browser = hosted.signed_in(hosted.ann)
        with served_apart(hosted, _free_port()) as apart:
            here = f"/portal/HELP/{issue.key}"
            for _ in range(5):
                apart.status(browser, here)
            in_use = apart.memory
            apart.forget_peak()
            answer = apart.upload(browser, f"{here}/comment", apart.comment_form(browser, issue.key), size)
            if answer.status != 303:
                raise RuntimeError(f"the upload was answered by {answer.status}")
            upload = apart.peak
            apart.forget_peak()
            _download(apart, browser, f"{here}/attachment/{issue.attachments[0].id}", size)
            download = apart.peak
        hosted.site.close()
        return Memory(size, in_use, upload, download)


def _download(apart: Apart, browser: object, address: str, size: int) -> None:
    connection, answer = apart.open(browser, address)  # type: ignore[arg-type]
    received = 0
    while piece := answer.read(PIECE):
        received += len(piece)
    connection.close()
    if (answer.status, received) != (200, size):
        raise RuntimeError(f"the download was answered by {answer.status} and {received} bytes")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
