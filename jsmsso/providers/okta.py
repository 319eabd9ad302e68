"""Okta: an org's own authorization server, or a custom one."""

from __future__ import annotations

from collections.abc import Mapping

from jsmsso.errors import UsageError
from jsmsso.providers.mending import origin_under, path_of
from jsmsso.providers.types import Groups, Location, ProviderType, Question, Refresh


def mend_domain(text: str) -> str:
    """The org's address. The admin console's (``acme-admin.okta.com``) is another host; ``/oauth2/ID`` of a pasted issuer stays."""
    origin = origin_under("okta.com", example="acme.okta.com")(text)
    for suffix in ("okta.com", "oktapreview.com", "okta-emea.com"):
        origin = origin.replace(f"-admin.{suffix}", f".{suffix}")
    path = path_of(text).removesuffix("/.well-known/openid-configuration")
    parts = path.split("/")
    return f"{origin}/oauth2/{parts[2]}" if len(parts) >= 3 and parts[1] == "oauth2" and parts[2] != "v1" else origin


def mend_server(text: str) -> str:
    """A custom authorization server's id: ``default`` or what Okta made; ``org`` for none."""
    text = text.strip()
    if not text or not text.isascii() or not text.isalnum():
        raise UsageError(f"{text[:200]!r} is no authorization server", "Take default, an id such as aus9o8wzkhckw9TLa0h7, or org for none.")
    return text


def locate(answers: Mapping[str, str]) -> Location:
    server = answers.get("server", "org")
    return Location(issuer=answers["domain"] if server == "org" else f"{answers['domain']}/oauth2/{server}")


TYPE = ProviderType(
    name="okta",
    title="Okta",
    documentation="https://developer.okta.com/docs/concepts/auth-servers/",
    questions=(
        Question("domain", "Okta domain [top right, under your name]", mend_domain, "acme.okta.com"),
        Question(
            "server",
            "Authorization server (org, default or an id; Enter for org)",
            mend_server,
            "default",
            default="org",
            only_if=lambda answers: "/oauth2/" not in answers["domain"],
        ),
    ),
    locate=locate,
    email="The claim `email_verified`; Okta sets it from the profile, so it is as good as how the org makes its accounts.",
    groups=Groups(
        "groups",
        "Org server: your app > Sign On > OpenID Connect ID Token > Groups claim filter, and the scope `groups`. "
        "Custom server: Claims > Add claim.",
        "A claim made by a function such as Groups.startsWith has at most the number of groups that it names, without a sign of more.",
    ),
    refresh=Refresh(rotation="optional"),
    id_token_hint=True,  # Okta: /logout; without it the answer is 400
    paste_at="Paste these at Okta (Applications > your app > General > Login)",
    labels=("Sign-in redirect URIs", "Sign-out redirect URIs"),
    places={
        "client_id": "Applications > your app > General > Client ID",
        "client_secret": "Applications > your app > General > Client Secrets",
        "callback": "Applications > your app > General > Login > Sign-in redirect URIs",
        "sign_out": "Applications > your app > General > Login > Sign-out redirect URIs",
        "scopes": "Security > API > your server > Scopes, and Access Policies",
        "grant": "Applications > your app > General > Grant type",
    },
    quirks=(
        "The ID token that comes with an access token is thin: names and email come from userinfo.",
        "A custom authorization server needs API Access Management, and an access policy that allows this client.",
        "A custom domain of the org changes the issuer, if the server's issuer is set to Dynamic.",
    ),
)
