"""From the profile's ``store:`` address to a store."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import unquote, urlsplit

from jsmsso.errors import NotReady
from jsmsso.store.sqlite import SqliteStore


def open_store(address: str | None) -> SqliteStore:
    """The store at ``sqlite:////absolute/path`` (or ``sqlite:///relative``); None is the user's state folder.

    Raises :class:`NotReady` for an address of a kind not served yet, :class:`StoreUnavailable` when it cannot open.
    """
    if address is None:
        return SqliteStore(default_path())
    parts = urlsplit(address)
    if parts.scheme != "sqlite":
        raise NotReady(f"a store at {parts.scheme}:// is not served yet", "Use sqlite:////path/to/state.db.")
    path = unquote(parts.path)[1:]
    if parts.netloc or not path or path.endswith("/"):
        raise NotReady(f"the store's address {address} names no file", "Use sqlite:////path/to/state.db, with four slashes.")
    return SqliteStore(Path(path))


def default_path() -> Path:
    """``state.db`` in the user's state folder, as the system names it."""
    from platformdirs import user_state_path

    return user_state_path("jsmsso") / "state.db"
