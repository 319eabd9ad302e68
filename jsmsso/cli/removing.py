"""``provider remove``: an entry leaves the profile, and what leaned on it is named."""

from __future__ import annotations

from pathlib import Path

from jsmsso.cli.connection.tested_claims import forget
from jsmsso.cli.render import Result
from jsmsso.errors import UsageError
from jsmsso.profile.editing import editing
from jsmsso.profile.model import Profile
from jsmsso.profile.parsing import parse
from jsmsso.profile.reading import read_bytes
from jsmsso.providers.entry import checked


def remove_provider(path: Path, profile: Profile, name: str) -> Result:
    """Take ``name`` out of the profile at ``path``. Raises :class:`UsageError` where portals or rules still need it."""
    portals = [portal.key for portal in profile.portals if portal.provider == name]
    if portals:
        raise UsageError(
            f"the customers of {', '.join(portals)} log in at {name}",
            f"Take `provider: {name}` out of {'that portal' if len(portals) == 1 else 'those portals'} first, or name another.",
        )
    values = parse(read_bytes(path)).values
    _take_out(values["providers"], profile, name)
    checked(values, path)  # rules that name it are complained about here
    with editing(path) as document:
        _take_out(document.data["providers"], profile, name)
    forget(name)
    rest = [one for one in profile.providers if one != name]
    lines = [f"Removed provider {name} from {path}."]
    warnings = []
    reference = profile.providers[name].client_secret
    if reference and reference.startswith("keyring:"):
        lines.append(f"Its secret stays in the keyring: service jsmsso, name {reference.removeprefix('keyring:')}.")
    elif reference:
        lines.append(f"Its secret stays where it is: {reference}.")
    if next(iter(profile.providers)) == name:
        if rest:
            warnings.append(f"{name} was the default provider; now it is {rest[0]}")
        else:
            warnings.append(f"{name} was the only provider; nobody can log in until another is added")
    data = {"name": name, "removed": True, "profile": str(path), "client_secret": reference, "default": rest[0] if rest else None}
    return Result(data=data, text="\n".join(lines), warnings=tuple(warnings))


def _take_out(providers: dict[str, dict[str, object]], profile: Profile, name: str) -> None:
    if name not in providers:
        raise UsageError(f"the profile has no provider {name} any more", "It changed meanwhile.")
    del providers[name]
    for other, entry in providers.items():
        # The first provider's callback is /callback by default; who becomes the first must keep its own, which is registered.
        if "callback" not in entry:
            entry["callback"] = profile.providers[other].callback
