"""What the parent does beside serving: files of secrets that change, what is kept too long, what ends soon."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from jsmsso.errors import JsmssoError
from jsmsso.profile.model import Profile
from jsmsso.profile.secrets import references, secret_path
from jsmsso.runtime.deployment import Deployment
from jsmsso.runtime.expiry import Expiry

FILES_SECONDS = 2.0  # between two looks at the files
CLEAN_SECONDS = 3600.0
SAY_SECONDS = 86400.0

Fingerprint = tuple[tuple[int, int, int] | None, ...]


class ChangedFiles:
    """Tells once that files changed, and only when they have stood still between two looks: they may be half written.

    A link that leads to another file is a change: so Kubernetes and systemd replace secrets.
    """

    def __init__(self, files: tuple[Path, ...]) -> None:
        self._files = files
        self._known = self._seen = self._look()

    def changed(self) -> tuple[Path, ...]:
        """Those that are not what they were; empty until they stand still."""
        seen, before = self._look(), self._seen
        self._seen = seen
        if seen == self._known or seen != before:
            return ()
        changed = tuple(path for path, old, new in zip(self._files, self._known, seen, strict=True) if old != new)
        self._known = seen
        return changed

    def _look(self) -> Fingerprint:
        return tuple(_fingerprint(path) for path in self._files)


def files_of(profile: Profile, base: Path, *more: Path | None) -> tuple[Path, ...]:
    """The files behind the ``file:`` references of a profile, and the trust store's; ``base`` is the profile's folder."""
    named = [secret_path(one.removeprefix("file:"), base) for one in references(profile) if one.startswith("file:")]
    if profile.saml:
        certificates = [pair.certificate for pair in (profile.saml, profile.saml.next) if pair]
        named += [secret_path(one.removeprefix("file:"), base) for one in certificates if one.startswith("file:")]
    if profile.http.ca_bundle:
        named.append(base / profile.http.ca_bundle)
    return tuple(dict.fromkeys([*named, *(path for path in more if path is not None)]))


@dataclass(slots=True)
class Upkeep:
    """Called by the parent's loop about once a second; each chore has its own pace, by ``clock`` (seconds, monotonic)."""

    deployment: Deployment
    files: ChangedFiles
    expiries: tuple[Expiry, ...]
    clock: Callable[[], float]
    _due: dict[str, float] = field(default_factory=dict)

    def tick(self) -> bool:
        """Do what is due; True when the secrets must be read again. Never raises."""
        if self._is_due("clean", CLEAN_SECONDS):
            self._clean()
        if self._is_due("say", SAY_SECONDS):
            self._say_what_ends()
        if not self._is_due("files", FILES_SECONDS) or not (changed := self.files.changed()):
            return False
        self.deployment.events.write("secrets.changed", files=[str(path) for path in changed])
        return True

    def replace(self, deployment: Deployment, files: ChangedFiles, expiries: tuple[Expiry, ...]) -> None:
        """After a reload."""
        self.deployment, self.files, self.expiries = deployment, files, expiries
        self._due.pop("say", None)

    def _is_due(self, chore: str, every: float) -> bool:
        now = self.clock()
        if now < self._due.get(chore, float("-inf")):
            return False
        self._due[chore] = now + every
        return True

    def _clean(self) -> None:
        deployment = self.deployment
        retention, now = deployment.profile.retention, deployment.now()
        try:
            gone = {"audit_files": deployment.audit.clean(retention.audit)}
            gone |= deployment.store.clean(now=now, accounts_before=now - retention.accounts, queue_before=now - retention.queue)
        except JsmssoError as error:
            deployment.events.write("clean.failed", reason=error.code, detail=error.message, hint=error.hint)
        except OSError as error:
            deployment.events.write("clean.failed", reason="audit", detail=error.strerror or type(error).__name__)
        else:
            if any(gone.values()):
                deployment.events.write("cleaned", **{name: number for name, number in gone.items() if number})
        finally:
            deployment.store.close()

    def _say_what_ends(self) -> None:
        for one in self.expiries:
            if sentence := one.warning(self.deployment.now()):
                self.deployment.events.write(f"{one.kind}.ends", name=one.name, day=str(one.day), detail=sentence)


def _fingerprint(path: Path) -> tuple[int, int, int] | None:
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_mtime_ns, status.st_ino, status.st_size
