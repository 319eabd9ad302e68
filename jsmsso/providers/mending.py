"""What people paste when they are asked for a domain, a tenant or a realm, made right."""

from __future__ import annotations

import re
from collections.abc import Callable
from urllib.parse import urlsplit

from jsmsso.errors import UsageError
from jsmsso.identity.email_address import NotAnEmailAddress, fold_domain
from jsmsso.profile.addresses import NotAnAddress, check_address, origin_of

GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def mend_origin(text: str) -> str:
    """``https://host`` of any address on it, however it was pasted; http only for loopback. Raises :class:`UsageError`."""
    text = text.strip()
    address = text if "://" in text else f"https://{text}"
    try:
        check_address(address.partition("#")[0].partition("?")[0])
        return origin_of(address)
    except (NotAnAddress, ValueError) as error:
        raise UsageError(f"{text[:200]!r} is no host" + (f": {error}" if isinstance(error, NotAnAddress) else "")) from None


def origin_under(*suffixes: str, example: str) -> Callable[[str], str]:
    """A mender for a host below one of a provider's own domains, or a whole name of one's own; one label is taken as the former."""

    def mend(text: str) -> str:
        text = text.strip()
        origin = mend_origin(text)
        host = urlsplit(origin).hostname or ""
        if "." in host or not origin.startswith("https://"):
            return origin
        if len(suffixes) == 1 and re.fullmatch("[a-z0-9-]+", host) and host != "localhost":
            return f"https://{host}.{suffixes[0]}"
        raise UsageError(f"{text[:200]!r} is no whole host name", f"It looks like {example}.")

    return mend


def path_of(text: str) -> str:
    """The path of a pasted address without a final slash; empty for a host alone."""
    text = text.strip()
    return urlsplit(text if "://" in text else f"https://{text}").path.rstrip("/")


def mend_guid(text: str, what: str) -> str:
    """A GUID in lower case, also out of an address that holds one. Raises :class:`UsageError`."""
    found = GUID.search(text.strip().lower())
    if not found:
        raise UsageError(f"{text.strip()[:200]!r} is no {what}", "It looks like 72f988bf-86f1-41af-91ab-2d7cd011db47.")
    return found[0]


def mend_domains(text: str) -> str:
    """Email domains, folded, with commas between them. Raises :class:`UsageError`."""
    try:
        names = [fold_domain(part.strip().removeprefix("@")) for part in text.split(",") if part.strip()]
    except NotAnEmailAddress:
        names = []
    if not names:
        raise UsageError("that is no domain such as acme.com", "Write several with commas.")
    return ",".join(dict.fromkeys(names))


def split_list(answer: str) -> tuple[str, ...]:
    """The parts of a mended list."""
    return tuple(part for part in answer.split(",") if part)
