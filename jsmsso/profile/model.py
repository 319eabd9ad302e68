"""The profile as one frozen value. Attribute names are the YAML keys; lengths of time are seconds."""

from __future__ import annotations

from functools import cached_property
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import Field, GetCoreSchemaHandler, GetJsonSchemaHandler, Strict, model_validator
from pydantic_core import CoreSchema, core_schema

from jsmsso.identity.access import Rule
from jsmsso.profile.access_rules import AccessRule, decided
from jsmsso.profile.addresses import is_loopback, origin_of
from jsmsso.profile.fields import (
    Address,
    BaseAddress,
    Count,
    Day,
    EmailAddress,
    Flag,
    Lasting,
    Many,
    Matching,
    OneOrMany,
    Paragraph,
    Proxy,
    SecretReference,
    Section,
    Some,
    StoreAddress,
    Text,
    Token,
    TrustedProxy,
)  # fmt: skip
from jsmsso.profile.provider import Endpoints, Provider, Require
from jsmsso.profile.site import Customers, Jsm, Portal

__all__ = ["Customers", "Endpoints", "Jsm", "Portal", "Profile", "Provider", "Require"]

VERSION = 1


class Login(Section):
    """How a person gets to a provider."""

    mode: Literal["instant", "choose", "ask_address"] = Field(
        "choose", description="With several providers: straight to the first, a page to choose on, or a page that asks for the address."
    )
    fallback: Literal["none", "native"] = Field(
        "none", description="`native` shows people of no provider the native login, which leaves the gate open for them."
    )


class ServiceProvider(Section):
    """Atlassian Guard's side of SAML, as its administration shows it."""

    entity_id: Text = Field(description="Service provider entity URL.")
    acs_url: Address = Field(description="Service provider assertion consumer service URL.")
    certificate: SecretReference | None = Field(None, description="Its certificate, where its requests are signed.")


class KeyPair(Section):
    """A signing key and its certificate."""

    certificate: SecretReference = Field(description="The certificate, PEM.", examples=["file:saml/certificate.pem"])
    key: SecretReference = Field(description="The private key, PEM.", examples=["file:saml/key.pem"])


class Saml(KeyPair):
    """Answering Atlassian Guard, for portals of mode ``native``."""

    next: KeyPair | None = Field(None, description="The pair that `saml rotate` makes, before it is activated.")
    attributes: dict[Text, Text] = Field({}, description="Names of SAML attributes -> fields of the customer.")
    authn_context: dict[Text, Text] = Field({}, description="SAML authentication contexts -> values of `acr`.")
    service_provider: ServiceProvider | None = Field(None, description="Atlassian Guard's side.")


class Scim(Section):
    """Customers by SCIM, where Guard takes them."""

    url: BaseAddress = Field(description="SCIM base URL.")
    token: SecretReference = Field(description="Its key.", examples=["keyring:scim/token"])
    token_expires: Day | None = Field(None, description="The day on which the key ends.")


class Session(Section):
    """What a browser has after a login."""

    secret: OneOrMany[SecretReference] | None = Field(
        None, description="32 random bytes or more; of a list the first seals and all open.", examples=["env:JSMSSO_SESSION_SECRET"]
    )
    lifetime: Annotated[int, Lasting("5m", "30d")] = Field(8 * 3600, description="When it ends, however busy.")
    idle_timeout: Annotated[int, Lasting("1m", "30d")] = Field(3600, description="When it ends without a request; at most `lifetime`.")
    recheck: Annotated[int, Lasting("1m", "1d")] | None = Field(
        None, description="How often the provider is asked whether the account still exists."
    )

    @model_validator(mode="after")
    def _never_idle_longer_than_alive(self) -> Session:
        # Only the default can be longer here: a written one is complained about.
        self.__dict__["idle_timeout"] = min(self.idle_timeout, self.lifetime)
        return self


class Store(Section):
    """What must outlive a request. A text stands for its address alone."""

    url: StoreAddress = Field(
        description="sqlite:// with an absolute path, redis:// or rediss://.", examples=["sqlite:////var/lib/jsmsso/state.db"]
    )
    password: SecretReference | None = Field(None, description="Redis's password.")
    insecure: Flag = Field(False, description="Allows Redis without TLS on another machine.")


class Http(Section):
    """How other machines are reached. Without it HTTPS_PROXY, NO_PROXY and the system's trust store count."""

    proxy: Proxy | None = Field(None, description="The proxy for every call.", examples=["http://proxy.acme.com:3128"])
    no_proxy: Many[Text] = Field((), description="Hosts and domains reached without it.")
    ca_bundle: Text | None = Field(None, description="A PEM file of certificate authorities to trust instead of the system's.")


class Support(Section):
    """Whom to ask; on every page where a customer cannot go on."""

    text: Paragraph | None = Field(None, description="A sentence.", examples=["Ask the IT desk"])
    email: EmailAddress | None = Field(None, description="An address.", examples=["help@acme.com"])
    url: Address | None = Field(None, description="A page.")


Colour = Annotated[Text, Matching("#[0-9a-fA-F]{6}", 'a colour in quotes, such as "#0b5cad"')]


class Colours(Section):
    """The one accent colour, for light and for dark screens."""

    accent: Colour | None = Field(None, description="On light screens.", examples=["#0b5cad"])
    accent_dark: Colour | None = Field(None, description="On dark screens.", examples=["#7db8f7"])


class Branding(Section):
    """How the pages look."""

    name: Text | None = Field(None, description="The company's name.")
    logo: Text | None = Field(None, description="An image file, relative to the profile's folder.")
    colors: Colours = Field(Colours(), description="Colours; quote them, # begins a comment.")
    time_zone: Annotated[Text, Matching(r"[A-Za-z0-9_+-]+(/[A-Za-z0-9_+-]+){0,2}", "a time zone's name such as Europe/Berlin")] | None = (
        Field(None, description="The time zone where neither claims nor browser tell one.")
    )


class Limits(Section):
    """Brakes on spam, in hosted portals."""

    requests_per_hour: Count = Field(20, description="Requests that a customer may raise in an hour.")
    comments_per_hour: Count = Field(60, description="Comments that a customer may make in an hour.")
    megabytes_per_hour: Count = Field(500, description="Megabytes that a customer may attach in an hour.")
    organization_factor: Count = Field(20, description="How many times as much all customers of an organization may send together.")
    address_factor: Count = Field(20, description="How many times as much may come from one client's address.")


class Retention(Section):
    """How long what we know about people is kept."""

    audit: Annotated[int, Lasting("1d", "3650d")] = Field(90 * 86400, description="The audit trail.")
    accounts: Annotated[int, Lasting("1d", "3650d")] = Field(
        400 * 86400, description="Which JSM account belongs to whom, after the last login."
    )
    drafts: Annotated[int, Lasting("1h", "30d")] = Field(86400, description="Texts and files of forms and comments that could not be sent.")
    queue: Annotated[int, Lasting("1h", "30d")] = Field(7 * 86400, description="Writes to JSM that wait.")


class ForwardAuth(Section):
    """Deciding for a proxy in front of a Data Center site."""

    other_paths: Literal["deny", "allow"] = Field("deny", description="Paths that belong to no portal.")


class Log(Section):
    """How the log is written."""

    format: Literal["json", "human"] = Field("json", description="JSON lines, or lines for people.")
    client_address: Literal["full", "truncated", "none"] = Field("full", description="How much of a client's address is kept.")
    audit_folder: Text | None = Field(
        None,
        description="Where the audit trail is kept. Default: `audit` beside the SQLite store, else in the user's state folder.",
        examples=["/var/log/jsmsso"],
    )


class _UrlAlone:
    """A store, or its address alone."""

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_before_validator_function(
            lambda value: {"url": value} if isinstance(value, str) else value, handler(source)
        )

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        return {"anyOf": [{"type": "string"}, handler(schema)]}


AttributeName = Annotated[Text, Matching("[a-z][a-z0-9_]{0,39}", "a to z, digits and _")]


class Profile(Section):
    """``jsmsso.yaml``. Made by :func:`jsmsso.profile.reading.read_profile`, which also checks what one key asks of another."""

    version: Annotated[int, Strict(), Field(ge=VERSION, le=VERSION)] = Field(description="The version of this file's form.", examples=[1])
    public_url: BaseAddress = Field(
        description="Where customers reach jsmsso; a path is allowed. http:// on loopback addresses only.",
        examples=["https://sso.acme.com"],
    )
    providers: dict[Token, Provider] = Field({}, description="OpenID Providers by a name of yours; the first is the default.")
    login: Login = Field(Login(), description="How a person gets to a provider.")
    attributes: dict[AttributeName, OneOrMany[Text]] = Field(
        {}, description="Fields of the customer -> a claim's literal name, else a JMESPath over the claims; a list is tried in order."
    )
    access: Some[AccessRule] | None = Field(
        None,
        description="Who may enter: the first rule that fits counts, and no fitting rule denies. Without the key every verified email may.",
    )
    jsm: Jsm | None = Field(None, description="The Jira Service Management site.")
    portals: Many[Portal] = Field((), description="The portals, written by `portals sync`.")
    saml: Saml | None = Field(None, description="Answering Atlassian Guard, for mode native.")
    scim: Scim | None = Field(None, description="Customers by SCIM, where Guard takes them.")
    session: Session = Field(Session(), description="What a browser has after a login.")
    store: Annotated[Store, _UrlAlone()] | None = Field(
        None, description="Where state is kept; a text stands for its `url`. Default: SQLite in the user's state folder."
    )
    store_failure: Literal["closed", "open"] = Field(
        "closed", description="While the store is down: answer 503, or go on with what is sealed in cookies."
    )
    trusted_proxies: Many[TrustedProxy] = Field(
        (), description="Addresses and networks whose forwarded headers count; `unix` for a unix socket."
    )
    http: Http = Field(Http(), description="How other machines are reached.")
    clock_skew: Annotated[int, Lasting("0s", "300s")] = Field(60, description="By how much clocks may differ.")
    support: Support = Field(Support(), description="Whom customers can ask.")
    branding: Branding = Field(Branding(), description="How the pages look.")
    limits: Limits = Field(Limits(), description="Brakes on spam, in hosted portals.")
    retention: Retention = Field(Retention(), description="How long what we know about people is kept.")
    forward_auth: ForwardAuth | None = Field(None, description="Deciding for a proxy in front of a Data Center site.")
    log: Log = Field(Log(), description="How the log is written.")

    @cached_property
    def rules(self) -> tuple[Rule, ...]:
        """The global rules."""
        return decided(self.access or ())

    @property
    def asks_jsm(self) -> bool:
        """Whether serving asks anything of JSM: who a customer is, what to write about them, or what a hosted portal shows."""
        asking = any(portal.visibility == "jira" or portal.mode == "hosted" for portal in self.portals if not portal.gone)
        return self.jsm is not None and (asking or self.jsm.customers.are_written)

    @property
    def is_loopback(self) -> bool:
        """Whether ``public_url`` is reachable from this machine only."""
        return is_loopback(urlsplit(self.public_url).hostname or "")

    @property
    def origin(self) -> str:
        """``https://sso.acme.com``, as a browser writes it in ``Origin``."""
        return origin_of(self.public_url)

    @property
    def base_path(self) -> str:
        """The path of ``public_url``: empty, or ``/_sso``."""
        return urlsplit(self.public_url).path
