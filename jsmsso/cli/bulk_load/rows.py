"""The customers to write, whatever they are read from."""

from __future__ import annotations

from dataclasses import dataclass

from jsmsso.errors import CheckFailed, Complaint, UsageError

MOST_SHOWN = 20  # complaints; a file with the wrong columns has one in each line


@dataclass(frozen=True, slots=True)
class Row:
    """One customer. ``line`` is where they stand (1-based), ``email`` is folded; ``portals`` holds keys, empty: the usual ones.

    ``organizations`` is None where the source tells nobody's.
    """

    line: int
    email: str
    display_name: str
    organizations: tuple[str, ...] | None = None
    portals: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Done:
    """What was done for a customer, or would be. ``before``: in an earlier run, so that nothing was to do.

    ``desks``, ``joins`` and ``leaves`` (organizations' names) are told by a dry run alone; of ``joins`` those in ``new`` would
    be created. ``account_id`` is empty where the account is yet to be created.
    """

    row: Row
    account_id: str = ""
    created: bool = False
    before: bool = False
    desks: tuple[str, ...] = ()
    joins: tuple[str, ...] = ()
    leaves: tuple[str, ...] = ()
    new: tuple[str, ...] = ()

    @property
    def changes(self) -> bool:
        """Whether there is anything to do."""
        return bool(self.created or self.desks or self.joins or self.leaves)


class RowFailed(CheckFailed):
    """Nothing went wrong, and yet not all that the row asks for can be. ``reason`` is a stable word."""

    code = "row_failed"

    def __init__(self, reason: str, message: str, hint: str = "") -> None:
        self.reason = reason
        super().__init__(message, hint)


class RowsInvalid(UsageError):
    """The source cannot be used; nothing was written. ``complaints`` has the first of them, with their lines."""

    code = "file_invalid"

    def __init__(self, name: str, complaints: list[Complaint], hint: str = "") -> None:
        self.complaints = tuple(complaints[:MOST_SHOWN])
        count = "1 problem" if len(complaints) == 1 else f"{len(complaints):,} problems"
        lines = [f"  {one}" for one in self.complaints]
        if len(complaints) > MOST_SHOWN:
            lines.append(f"  and {len(complaints) - MOST_SHOWN:,} more")
        super().__init__(f"{name} has {count}, and nothing was written:\n" + "\n".join(lines), hint)
