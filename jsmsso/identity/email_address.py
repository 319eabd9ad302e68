"""One spelling for an email address, made once at the door and compared ever after."""

from __future__ import annotations

import idna

MAX_LOCAL_PART = 64  # octets, RFC 5321 4.5.3.1.1
MAX_DOMAIN = 253  # octets, RFC 1035 2.3.4 without the root
MAX_ADDRESS = 254  # octets, RFC 5321 4.5.3.1.3 as RFC 3696's erratum 1690 counts it

_UPPER_TO_LOWER = {code: code + 32 for code in range(ord("A"), ord("Z") + 1)}
_LOCAL_PART = frozenset(map(chr, range(0x21, 0x7F))) - frozenset('@"(),:;<>[\\]')


class NotAnEmailAddress(ValueError):
    """The text is no address that we take; the message says which rule it breaks."""


def fold_email(text: str) -> str:
    """The one spelling of an address: its domain as A-labels, then only A to Z lowered.

    Exactly one ``@``; a local part of at most 64 printable ASCII characters without quotes, spaces or
    comments; a domain that IDNA 2008 accepts. Nothing else is folded, so no look-alike, ligature or
    full-width letter can pass for another address. Raises :class:`NotAnEmailAddress`.
    """
    local_part, at, domain = text.partition("@")
    if not at or "@" in domain:
        raise NotAnEmailAddress("it needs exactly one @")
    if not local_part or len(local_part) > MAX_LOCAL_PART or not _LOCAL_PART.issuperset(local_part):
        raise NotAnEmailAddress("the part before the @ is not plain printable ASCII of 1 to 64 characters")
    folded = f"{local_part.translate(_UPPER_TO_LOWER)}@{fold_domain(domain)}"
    if len(folded) > MAX_ADDRESS:
        raise NotAnEmailAddress("it is longer than 254 characters")
    return folded


def fold_domain(text: str) -> str:
    """A domain as lower-case A-labels (``Bücher.example`` is ``xn--bcher-kva.example``).

    No final dot, no address literal. Raises :class:`NotAnEmailAddress`.
    """
    domain = text.translate(_UPPER_TO_LOWER)
    if not domain.isascii():
        # No case is folded and nothing is mapped beyond A to Z: a Kelvin sign is not a k here.
        try:
            labels = [idna.alabel(label).decode("ascii") for label in domain.split(".")]
        except (idna.IDNAError, UnicodeError):
            raise NotAnEmailAddress("the part after the @ is not a domain name") from None
        domain = ".".join(labels)
    if len(domain) > MAX_DOMAIN or not all(map(_is_ldh_label, domain.split("."))):
        raise NotAnEmailAddress("the part after the @ is not a domain name")
    return domain


def _is_ldh_label(label: str) -> bool:
    return (
        0 < len(label) <= 63 and label[0] != "-" and label[-1] != "-" and all("a" <= c <= "z" or "0" <= c <= "9" or c == "-" for c in label)
    )


def fold_glob(text: str) -> str:
    """An address in which ``*`` stands for any characters but ``@`` (``*@contractor.acme.com``), folded as addresses are.

    A domain label that holds a ``*`` must be ASCII, since a part of a name has no A-label.
    Raises :class:`NotAnEmailAddress`.
    """
    if "*" not in text:
        return fold_email(text)
    local_part, at, domain = text.partition("@")
    if not at or "@" in domain:
        raise NotAnEmailAddress("it needs exactly one @")
    if not local_part or len(local_part) > MAX_LOCAL_PART or not _LOCAL_PART.issuperset(local_part):
        raise NotAnEmailAddress("the part before the @ is not plain printable ASCII of 1 to 64 characters")
    labels = [_fold_label_glob(label) if "*" in label else fold_domain(label) for label in domain.split(".")]
    return f"{local_part.translate(_UPPER_TO_LOWER)}@{'.'.join(labels)}"


def fold_domain_pattern(text: str) -> str:
    """A domain, or ``*.`` and a domain for all of its subdomains, folded. Raises :class:`NotAnEmailAddress`."""
    return f"*.{fold_domain(text[2:])}" if text.startswith("*.") else fold_domain(text)


def _fold_label_glob(label: str) -> str:
    folded = label.translate(_UPPER_TO_LOWER)
    if not _is_ldh_label(folded.replace("*", "a")):
        raise NotAnEmailAddress("the part after the @ is not a domain name")
    return folded
