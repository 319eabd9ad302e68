"""From the profile's ``store:`` to a store."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Protocol
from urllib.parse import unquote, urlsplit

from jsmsso.errors import NotReady

if TYPE_CHECKING:
    from jsmsso.store.interface import Store


class HasAddress(Protocol):
    """The profile's ``store:``, checked: no TLS only on loopback or with ``insecure``."""

    @property
    def url(self) -> str: ...


def open_store(store: HasAddress | str | None, *, password: str | None = None, namespace: str = "", ca_bundle: str | None = None) -> Store:
    """The store at ``sqlite:////absolute/path``, ``redis://`` or ``rediss://``; None is the user's state folder.

    ``namespace``, such as ``public_url``, keeps deployments on one Redis apart; ``password`` and ``ca_bundle`` (a file)
    are for Redis too. A SQLite file is opened, made or migrated here; Redis is called at the first use.
    Raises :class:`NotReady` for an address that leads nowhere and without the package for Redis, and
    :class:`StoreUnavailable` when a file cannot be opened.
    """
    if address := redis_address(store):
        from jsmsso.store.redis import RedisStore

        return RedisStore(address, password=password, namespace=namespace, ca_bundle=ca_bundle)
    from jsmsso.store.sqlite import SqliteStore

    return SqliteStore(sqlite_path(store))


def redis_address(store: HasAddress | str | None) -> str:
    """The address of a Redis store; empty for SQLite."""
    address = store if isinstance(store, str) or store is None else store.url
    return address if address and urlsplit(address).scheme in ("redis", "rediss") else ""


def sqlite_path(store: HasAddress | str | None) -> Path:
    """The file of a SQLite store. Raises :class:`NotReady` for an address that names none."""
    if store is None:
        return default_path()
    address = store if isinstance(store, str) else store.url
    parts = urlsplit(address)
    if parts.scheme != "sqlite":
        raise NotReady(f"there is no store of the kind {parts.scheme}://", "Use sqlite:////path/to/state.db or rediss://HOST:6379/0.")
    path = unquote(parts.path)[1:]
    if parts.netloc or not path or path.endswith("/"):
        raise NotReady(f"the store's address {address} names no file", "Use sqlite:////path/to/state.db, with four slashes.")
    return Path(path)


def default_path() -> Path:
    """``state.db`` in the user's state folder, as the system names it."""
    from platformdirs import user_state_path

    return user_state_path("jsmsso") / "state.db"
