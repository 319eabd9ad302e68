"""The kinds of values that the profile's keys take. Each says in words what it refuses, and never a secret's text."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Iterator
from datetime import date
from functools import lru_cache
from typing import Annotated, Any, TypeVar, get_args, get_origin

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    Strict,
    WithJsonSchema,
)
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from jsmsso.identity.email_address import NotAnEmailAddress, fold_domain, fold_domain_pattern, fold_email, fold_glob
from jsmsso.profile.addresses import NotAnAddress, base_address, check_address, is_host, store_address
from jsmsso.profile.redaction import shown

MAX_TEXT = 2000  # characters of any one text; support.text is the longest that makes sense
REFERENCE_FORMS = "keyring:NAME, env:VARIABLE or file:PATH"

_REFERENCE = re.compile(r"keyring:[A-Za-z0-9][A-Za-z0-9._/@-]{0,199}|env:[A-Za-z_][A-Za-z0-9_]{0,199}|file:[^\x00-\x1f\x7f]{1,1000}")
_DURATION = re.compile(r"([0-9]{1,9})([smhd])")
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


class Section(BaseModel):
    """A mapping of the profile: every key known, nothing changed after reading."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


def refused(message: str, hint: str = "") -> PydanticCustomError:
    """A refusal in our words; ``jsmsso.profile.complaining`` reads both back."""
    # Braces would be taken for a format by pydantic.
    return PydanticCustomError("refused", "{message}", {"message": message, "hint": hint})


T = TypeVar("T")
One = TypeVar("One")


def _said(check: Callable[[str], T]) -> Callable[[str], T]:
    """``check`` with its refusals in the form that the complaints are made of."""

    def validate(text: str) -> T:
        try:
            return check(text)
        except NotAnAddress as error:
            raise refused(f"found {shown(text)}; {error.message}", error.hint) from None
        except NotAnEmailAddress as error:
            raise refused(f"found {shown(text)}; {error}") from None

    return validate


class Matching:
    """A text that matches ``pattern`` as a whole; ``allowed`` says so in words."""

    def __init__(self, pattern: str, allowed: str, hint: str = "") -> None:
        self.pattern, self.allowed, self.hint = pattern, allowed, hint

    def check(self, text: str) -> str:
        if not re.fullmatch(self.pattern, text):
            raise refused(f"found {shown(text)}; allowed: {self.allowed}", self.hint)
        return text

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_after_validator_function(self.check, handler(source))

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        return {**handler(schema), "pattern": f"^({self.pattern})$"}


class AsMany:
    """A list, or its only item without the brackets."""

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_before_validator_function(_as_many, handler(source))

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        many = handler(schema)
        return {"anyOf": [many["items"], many]}


def _without_password(text: str) -> str:
    if re.search(r"//[^/\s:@]*:[^/\s@]+@", text):
        raise refused(
            "a literal secret stands in it (user:password@host)", "Delete everything between // and @; no secret may stand in the profile."
        )
    return text


def _one_line(text: str) -> str:
    if "\n" in text or "\t" in text:
        raise refused("found a line end or a tab; allowed: one line of text")
    if text != text.strip():
        raise refused(f"found {shown(text)}; allowed: a text that neither begins nor ends with a space")
    return text


def _as_many(value: Any) -> Any:
    return (value,) if isinstance(value, str | int | float) else value


def secret_reference(value: Any) -> str:
    if not isinstance(value, str) or not _REFERENCE.fullmatch(value):
        raise refused(
            f"found something that is no reference to a secret (not repeated here); allowed: {REFERENCE_FORMS}",
            "Store it with: jsmsso secrets set NAME, then write keyring:NAME here. If it was a real secret, change it where it was made.",
        )
    return value


@lru_cache(maxsize=64)
def reference_keys(section: type[BaseModel]) -> frozenset[str]:
    """The keys of a section that take a :data:`SecretReference`, or a list of them."""
    fields = section.model_fields.items()
    return frozenset(
        name
        for name, info in fields
        if any(getattr(one, "func", None) is secret_reference for one in (*info.metadata, *_metadata(info.annotation)))
    )


def _metadata(annotation: Any) -> Iterator[Any]:
    if get_origin(annotation) is Annotated:
        yield from annotation.__metadata__
    for one in get_args(annotation):
        yield from _metadata(one)


def _duration(value: Any) -> int:
    """Seconds of ``90d``."""
    if isinstance(value, str) and (found := _DURATION.fullmatch(value)):
        return int(found[1]) * _SECONDS[found[2]]
    hint = f"Write {value}s." if isinstance(value, int) and not isinstance(value, bool) else "For example 60s, 15m, 8h, 90d."
    raise refused(f"found {shown(value)}; allowed: a whole number with its unit s, m, h or d", hint)


class Lasting:
    """A length of time between two bounds such as ``5m`` and ``30d``, kept in seconds."""

    PATTERN = "^[0-9]{1,9}[smhd]$"

    def __init__(self, least: str, most: str) -> None:
        self.least, self.most = least, most

    def seconds(self, value: Any) -> int:
        found, low, high = _duration(value), _duration(self.least), _duration(self.most)
        if not low <= found <= high:
            raise refused(f"found {in_words(found)}; allowed: {self.least} to {self.most}")
        return found

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(self.seconds)

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        return {"type": "string", "pattern": self.PATTERN, "examples": [self.least, self.most]}


def in_words(seconds: int) -> str:
    unit = next(unit for unit in "dhms" if seconds % _SECONDS[unit] == 0 and (seconds or unit == "s"))
    return f"{seconds // _SECONDS[unit]}{unit}"


def _date(value: Any) -> Any:
    if isinstance(value, date):
        return value
    try:
        if isinstance(value, str) and re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", value):
            return date.fromisoformat(value)
    except ValueError:
        pass
    raise refused(f"found {shown(value)}; allowed: a date", "Year, month and day: 2027-05-01.")


def _proxy_address(text: str) -> str:
    if text == "unix":
        return text
    try:
        return str(ipaddress.ip_network(text))
    except ValueError:
        raise refused(f"found {shown(text)}; allowed: an IP address, a network such as 10.0.0.0/8, or unix") from None


def _https(text: str) -> str:
    check_address(text)
    return text


def _https_with_query(text: str) -> str:
    check_address(text, query=True)
    return text


def _proxy(text: str) -> str:
    check_address(text, plain=True)
    return text


def _provider_domain(text: str) -> str:
    if text.startswith("http://"):
        return base_address(text)
    host, colon, port = text.partition(":")
    if "/" in text or not is_host(host) or (colon and not re.fullmatch(r"[1-9][0-9]{0,4}", port)):
        check_user = "://" in text and check_address(text)
        hint = f"Write {check_user.netloc}." if check_user else "For example acme.auth.eu-west-1.amazoncognito.com."
        raise NotAnAddress("allowed: a host name alone, without https:// and path", hint)
    return text.lower()


Paragraph = Annotated[str, Strict(), Field(min_length=1, max_length=MAX_TEXT), AfterValidator(_without_password)]
Text = Annotated[Paragraph, AfterValidator(_one_line)]
Flag = Annotated[bool, Strict()]
Count = Annotated[int, Strict(), Field(ge=1, le=1_000_000)]
Some = Annotated[tuple[One, ...], Field(min_length=1)]
OneOrMany = Annotated[Some[One], AsMany()]
Many = tuple[One, ...]

SecretReference = Annotated[
    str,
    BeforeValidator(secret_reference),
    WithJsonSchema({"type": "string", "pattern": r"^(keyring:[A-Za-z0-9][A-Za-z0-9._/@-]*|env:[A-Za-z_][A-Za-z0-9_]*|file:.+)$"}),
]

Day = Annotated[
    date, BeforeValidator(_date), WithJsonSchema({"type": "string", "format": "date", "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}$"})
]
Address = Annotated[Text, AfterValidator(_said(_https))]
AddressWithQuery = Annotated[Text, AfterValidator(_said(_https_with_query))]
BaseAddress = Annotated[Text, AfterValidator(_said(base_address))]
Proxy = Annotated[Text, AfterValidator(_said(_proxy))]
StoreAddress = Annotated[Text, AfterValidator(_said(store_address))]
ProviderDomain = Annotated[Text, AfterValidator(_said(_provider_domain))]
EmailAddress = Annotated[Text, AfterValidator(_said(fold_email))]
EmailGlob = Annotated[Text, AfterValidator(_said(fold_glob))]
Domain = Annotated[Text, AfterValidator(_said(fold_domain))]
DomainPattern = Annotated[Text, AfterValidator(_said(fold_domain_pattern))]
TrustedProxy = Annotated[Text, AfterValidator(_proxy_address)]
Id = Annotated[Text, Matching("[0-9]{1,19}", "digits in quotes, as Jira numbers it")]
Token = Annotated[Text, Matching("[a-z0-9][a-z0-9_-]{0,39}", "a to z, digits, - and _, at most 40 characters")]
