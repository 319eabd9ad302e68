"""Claims from a file, and which of them an expression that found nothing may have meant."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Collection, Mapping, Sequence
from difflib import SequenceMatcher
from typing import Any

from jsmsso.errors import UsageError

MAX_CLAIMS = 1_000_000  # bytes
_HINT = "Claims are one JSON object: a token's payload, or what jsmsso test-connection --json prints."
_NONE = object()
_NEAR = 0.7  # of SequenceMatcher: givenname and given_name have 0.95, mail and email 0.89, name and given_name 0.57


def read_claims(file: str) -> dict[str, Any]:
    """The claims in ``file`` (``-``: standard input), also in a document that has them under ``claims``. Raises :class:`UsageError`."""
    where = "standard input" if file == "-" else file
    try:
        if file == "-":
            content = sys.stdin.buffer.read(MAX_CLAIMS + 1)
        else:
            with open(file, "rb") as opened:
                content = opened.read(MAX_CLAIMS + 1)
    except (OSError, ValueError) as error:  # ValueError: a name with a null in it
        reason = (getattr(error, "strerror", "") or "no such name").lower()
        raise UsageError(f"the claims in {where} cannot be read: {reason}") from None
    if len(content) > MAX_CLAIMS:
        raise UsageError(f"the claims in {where} are larger than {MAX_CLAIMS} bytes", _HINT)
    claims = _json(content)
    if claims is _NONE:  # raised out here: the error in there would carry the file's text
        is_token = content.lstrip()[:3] == b"eyJ"
        hint = "That is a token: jsmsso token inspect --stdin --json prints its claims." if is_token else _HINT
        raise UsageError(f"the claims in {where} are no JSON", hint)
    if isinstance(claims, dict) and isinstance(claims.get("claims"), dict) and "sub" not in claims:
        claims = claims["claims"]
    if not isinstance(claims, dict):
        raise UsageError(f"the claims in {where} are no JSON object", _HINT)
    return claims


def nearest(expressions: Sequence[str], names: Collection[str]) -> str:
    """The claim whose name is nearest to the first name in one of the expressions; empty where none is near."""
    wanted = [first_name(one) for one in expressions]
    best = max(((_nearness(one, name), name) for one in wanted for name in names), default=(0.0, ""))
    return best[1] if best[0] >= _NEAR and best[1] not in wanted else ""


def nearest_field(field: str, fields: Collection[str]) -> str:
    """The field of every customer that a misspelt one may have meant; empty where none is near, or it is one."""
    return "" if field in fields else nearest([field], fields)


def first_name(expression: str) -> str:
    """The claim that an expression begins with: ``groups`` of ``groups[].name``, the whole of ``custom:department``."""
    found = re.match(r'"([^"]+)"|([A-Za-z_][A-Za-z0-9_]*)(?=[.\[|]|$| )', expression)
    return (found[1] or found[2]) if found else expression


def _json(content: bytes) -> Any:
    def refuse(constant: str) -> None:
        raise ValueError(constant)  # NaN is no JSON, and would come out again

    try:
        return json.loads(content, parse_constant=refuse)
    except (ValueError, RecursionError):
        return _NONE


def _nearness(wanted: str, name: str) -> float:
    """From 0 to 1; of names in a namespace (``cognito:groups``, ``https://acme.com/department``) the last part is compared too."""
    candidates: Mapping[str, float] = {name: 1.0, re.split(r"[:/]", name)[-1]: 0.99}
    wanted = wanted.lower()
    return max(SequenceMatcher(None, wanted, one.lower()).ratio() * weight for one, weight in candidates.items())
