"""Secret references -> secrets. The keyring library is imported only when a ``keyring:`` reference is used.

No error of this module repeats a secret, and none passes on a keyring backend's own text, which might.
"""

from __future__ import annotations

import errno
import os
import re
import stat
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from jsmsso.errors import SecretMissing, SecretUnavailable, UsageError

if TYPE_CHECKING:
    from jsmsso.profile.model import Profile

SERVICE = "jsmsso"
"""The keyring's service name; the NAME of ``keyring:NAME`` is the username."""

MAX_SECRET = 64 * 1024  # bytes; a chain of certificates in PEM is the longest that stands behind a reference
KEYRING_TIMEOUT = 30.0  # seconds: a desktop's keyring may ask its owner for a password; one without an owner hangs
PROBE_TIMEOUT = 5.0  # seconds, for the question whether there is a keyring at all

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/@-]{0,199}")

T = TypeVar("T")


def read_secret(reference: str, *, base: Path) -> str:
    """The secret behind ``keyring:NAME``, ``env:VARIABLE`` or ``file:PATH`` (relative to ``base``, the profile's folder).

    Never empty; one final line end of a file is not part of it. Raises :class:`SecretUnavailable`.
    """
    kind, _, name = reference.partition(":")
    if kind == "keyring":
        return _from_keyring(reference, name)
    if kind == "env":
        return _from_environment(reference, name)
    if kind == "file":
        return _from_file(reference, secret_path(name, base))
    raise SecretUnavailable("", "that is no reference to a secret", "Allowed: keyring:NAME, env:VARIABLE or file:PATH.")


def write_secret(reference: str, value: str, *, base: Path) -> None:
    """Store ``value`` behind a ``keyring:`` or ``file:`` reference (mode 0600), replacing what is there.

    Raises :class:`SecretUnavailable`, or :class:`UsageError` for an ``env:`` reference, a bad name and an empty value.
    """
    kind, _, name = reference.partition(":")
    if not value:
        raise UsageError("the secret is empty", "Type it, or pipe it in.")
    if len(value.encode(errors="surrogatepass")) > MAX_SECRET:
        raise UsageError("the secret is longer than 64 kB", "Is this the right file?")
    if kind == "keyring" and NAME.fullmatch(name):
        _to_keyring(reference, name, value)
    elif kind == "file" and name:
        _to_file(reference, secret_path(name, base), value)
    elif kind == "env":
        raise UsageError(
            "an environment variable cannot be set from here", "Set it where the process is started, or use keyring: or file:."
        )
    else:
        raise UsageError("that is no reference to write a secret to", "Allowed: keyring:NAME (letters, digits and . _ / @ -) or file:PATH.")


def delete_secret(name: str) -> None:
    """Take ``NAME`` of ``keyring:NAME`` out of the keyring. Raises :class:`SecretUnavailable`, also where it is not there."""
    _ask(f"keyring:{name}", lambda: _backend().delete_password(SERVICE, name))


def keyring_usable() -> bool:
    """Whether a secret can be kept in this user's keyring now. Never prompts; answers within :data:`PROBE_TIMEOUT` seconds."""
    try:
        return _in_time(_probe, PROBE_TIMEOUT)
    except Exception:  # a backend may raise anything, and all of it means no
        return False


def secret_path(path: str, base: Path) -> Path:
    """Where a ``file:`` reference leads: ``~`` is the user's home, a relative path starts at ``base``."""
    return base / os.path.expanduser(path)


@dataclass(frozen=True, slots=True)
class Reference:
    """A reference in a profile: where it stands, and whether a secret is behind it (a certificate is none)."""

    location: tuple[str | int, ...]
    text: str
    is_secret: bool


@dataclass(frozen=True, slots=True)
class State:
    """What a reference leads to now. ``detail`` says what is wrong, ``hint`` what to do; both empty where all is well."""

    word: Literal["there", "too open", "missing", "unreadable"]
    detail: str = ""
    hint: str = ""


def state_of(reference: Reference, *, base: Path) -> State:
    """Whether a reference leads to a secret that only its owner (and their group) may read. Never raises."""
    try:
        read_secret(reference.text, base=base)
    except SecretMissing as error:
        return State("missing", error.message, error.hint)
    except SecretUnavailable as error:
        return State("unreadable", error.message, error.hint)
    if reference.is_secret and (how := _openness(reference.text, base)):
        return State("too open", f"everybody on this machine may {how} it", "chmod 600 it.")
    return State("there")


def readable_by_others(profile: Profile, *, base: Path) -> tuple[str, ...]:
    """A sentence for each secret file of ``profile`` that everybody on this machine may read or change."""
    texts = references(profile)
    return tuple(f"everybody on this machine may {how} {text}; chmod 600 it" for text in texts if (how := _openness(text, base)))


def references(profile: Profile) -> tuple[str, ...]:
    """Every reference to a secret that stands in ``profile``, each once."""
    return tuple(dict.fromkeys(one.text for one in references_in(profile) if one.is_secret))


def references_in(profile: Profile) -> Iterator[Reference]:
    """Every reference that stands in ``profile``, in the order of its keys."""
    return _references_below(profile, (), False)


def _references_below(value: Any, location: tuple[str | int, ...], holds: bool) -> Iterator[Reference]:
    """``holds``: whether the key takes references, so that a text is one."""
    from jsmsso.profile.fields import reference_keys

    if isinstance(value, str):
        if holds:
            yield Reference(location, value, location[-1] != "certificate")
    elif isinstance(value, tuple):
        for number, one in enumerate(value):
            yield from _references_below(one, location if holds and len(value) == 1 else (*location, number), holds)
    elif isinstance(value, dict):
        for name, one in value.items():
            yield from _references_below(one, (*location, name), holds)
    elif hasattr(type(value), "model_fields"):
        section: Any = type(value)
        keys = reference_keys(section)
        for name in section.model_fields:
            yield from _references_below(getattr(value, name), (*location, name), name in keys)


def _openness(reference: str, base: Path) -> str:
    """What everybody on this machine may do with a secret file: nothing (empty), ``read`` or ``change``. A group may be meant."""
    kind, _, name = reference.partition(":")
    if kind != "file" or os.name != "posix":
        return ""
    try:
        mode = secret_path(name, base).stat().st_mode  # of what a symbolic link leads to, as a mounted Secret's are
    except OSError:
        return ""
    return "read" if mode & stat.S_IROTH else "change" if mode & stat.S_IWOTH else ""


def _from_environment(reference: str, variable: str) -> str:
    value = os.environ.get(variable)
    if value is None:
        raise SecretMissing(reference, f"the environment variable {variable} is not set", "Set it where jsmsso is started.")
    if not value:
        raise SecretUnavailable(reference, f"the environment variable {variable} is empty", "Set it where jsmsso is started.")
    return value


def _from_file(reference: str, path: Path) -> str:
    try:
        with open(path, "rb", opener=lambda name, flags: os.open(name, flags | getattr(os, "O_NONBLOCK", 0))) as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise SecretUnavailable(reference, f"{path} is not a regular file", "Name a file that holds the secret alone.")
            content = file.read(MAX_SECRET + 1)
    except OSError as error:
        reason = {errno.ENOENT: "does not exist", errno.EACCES: "cannot be read: no permission", errno.EISDIR: "is a folder"}
        said = f"the secret file {path} {reason.get(error.errno or 0, 'cannot be read')}"
        if error.errno == errno.ENOENT:
            raise SecretMissing(reference, said, f"Write it with: jsmsso secrets set {reference}") from None
        raise SecretUnavailable(reference, said, "Look at the owner and mode of it and its folders.") from None
    if len(content) > MAX_SECRET:
        raise SecretUnavailable(reference, f"the secret file {path} is larger than 64 kB", "Name a file that holds the secret alone.")
    try:
        secret = content.decode()
    except UnicodeDecodeError:
        secret = None
    if secret is None:  # raised out here: the error in there would carry the file's bytes
        raise SecretUnavailable(reference, f"the secret file {path} is not UTF-8 text", "Encode random bytes, for example with base64.")
    secret = secret.removesuffix("\n").removesuffix("\r")
    if not secret:
        raise SecretUnavailable(reference, f"the secret file {path} is empty", f"Write it with: jsmsso secrets set {reference}")
    return secret


def _to_file(reference: str, path: Path, value: str) -> None:
    fresh = path.with_name(f".{path.name}.new")
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        fresh.unlink(missing_ok=True)
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with open(descriptor, "w", encoding="utf-8", newline="") as file:
            file.write(f"{value}\n" if value.endswith("\n") else value)  # reading takes one line end away
            file.flush()
            os.fsync(file.fileno())
        os.replace(fresh, path)
        _make_durable(path.parent)
    except OSError as error:
        with suppress(OSError):
            fresh.unlink(missing_ok=True)
        reason = (error.strerror or "unknown").lower()
        raise SecretUnavailable(
            reference, f"the secret file {path} cannot be written: {reason}", "Name a folder that you may write to."
        ) from None


def _make_durable(folder: Path) -> None:
    """Before whoever wrote a file there forgets the secret itself."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _from_keyring(reference: str, name: str) -> str:
    secret = _ask(reference, lambda: _backend().get_password(SERVICE, name))
    if secret is None:
        raise SecretMissing(reference, f"the keyring has no secret named {name}", f"Store it with: jsmsso secrets set {name}")
    if not secret:
        raise SecretUnavailable(reference, f"the keyring's secret named {name} is empty", f"Store it with: jsmsso secrets set {name}")
    return str(secret)


def _to_keyring(reference: str, name: str, value: str) -> None:
    def store() -> bool:
        backend = _backend()
        backend.set_password(SERVICE, name, value)
        return bool(backend.get_password(SERVICE, name) == value)

    if not _ask(reference, store):
        raise SecretUnavailable(reference, "the keyring did not keep the secret", _instead(name))


def _ask(reference: str, question: Callable[[], T]) -> T:
    """What the keyring answers; all that can go wrong with it is one error with the way around it."""
    name = reference.partition(":")[2]
    first = "Unlock it, or write"
    try:
        return _in_time(question, KEYRING_TIMEOUT)
    except TimeoutError:
        message = f"the keyring gave no answer in {KEYRING_TIMEOUT:.0f} seconds"
    except ImportError:
        message, first = "the keyring library cannot be loaded", "Write"
    except _NoKeyring:
        message, first = "there is no keyring on this machine that keeps anything", "Write"
    except Exception as error:  # a backend may raise anything, and its text may hold the secret
        locked = type(error).__name__ in ("KeyringLocked", "LockedException", "PromptDismissedException")
        message = "the keyring is locked" if locked else f"the keyring failed ({type(error).__name__})"
    raise SecretUnavailable(reference, message, _instead(name, first))


def _instead(name: str, first: str = "Write") -> str:
    file, variable = f"file:secrets/{name}", re.sub(r"[^A-Z0-9]", "_", name.upper())
    return f"{first} {file} into the profile and store it with: jsmsso secrets set {file}\nOr write env:JSMSSO_{variable} and set it."


class _NoKeyring(Exception):
    """There is no backend that keeps anything."""


def _backend() -> Any:
    """The keyring's backend. Raises where there is none that keeps anything."""
    import keyring

    backend = keyring.get_keyring()
    if type(backend).__module__ in ("keyring.backends.fail", "keyring.backends.null"):
        raise _NoKeyring
    return backend


def _probe() -> bool:
    backend = _backend()
    backends = getattr(backend, "backends", (backend,))  # a chainer asks the first of its own
    return bool(backends) and not _locked(backends[0])


def _locked(backend: Any) -> bool:
    """Whether a Secret Service keyring would ask for a password; other kinds cannot be asked without asking the person."""
    if type(backend).__module__ != "keyring.backends.SecretService":
        return False
    import secretstorage

    with secretstorage.dbus_init() as connection:
        return bool(secretstorage.Collection(connection).is_locked())


def _in_time(question: Callable[[], T], seconds: float) -> T:
    """The answer of ``question``, or TimeoutError; a question that hangs is left behind in its thread."""
    answers: list[T] = []
    failures: list[BaseException] = []

    def ask() -> None:
        try:
            answers.append(question())
        except BaseException as error:  # raised again by the one who asked
            failures.append(error)

    thread = threading.Thread(target=ask, daemon=True, name="keyring")
    thread.start()
    thread.join(seconds)
    if failures:
        raise failures[0]
    if not answers:
        raise TimeoutError
    return answers[0]
