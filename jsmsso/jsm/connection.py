"""From the profile to a client: the site's kind decides how the service account logs in."""

from __future__ import annotations

from pathlib import Path

from jsmsso.errors import JsmRefused, NotReady, SecretUnavailable
from jsmsso.http_client import HttpClient, HttpSettings
from jsmsso.jsm.authentication import ApiToken, Authentication, PersonalAccessToken
from jsmsso.jsm.client import PLAIN, JsmClient, Patience
from jsmsso.jsm.site import Site, read_site
from jsmsso.profile.model import Profile
from jsmsso.profile.secrets import read_secret

NO_SCOPED_TOKENS = (
    "Tokens with scopes, which go through api.atlassian.com, cannot be used yet: make the API token without scopes,\n"
    "and give the site's own address (https://NAME.atlassian.net)."
)


def open_site(profile: Profile, path: Path, http: HttpClient, patience: Patience = PLAIN) -> tuple[JsmClient, Site]:
    """A client that is logged in as the profile's service account, and the site it speaks to.

    Raises :class:`NotReady` for a profile without a site, :class:`SecretUnavailable`, and JSM's errors.
    """
    jsm = profile.jsm
    if jsm is None:
        raise NotReady("the profile names no JSM site", "Run: jsmsso jsm connect")
    refuse_scoped_tokens(profile)
    token = read_secret(jsm.api_token, base=path.parent)
    return open_site_as(jsm.url, jsm.email or "", usable_token(token, jsm.api_token), http, patience)


def refuse_scoped_tokens(profile: Profile) -> None:
    """Raises :class:`NotReady` where the profile asks for the gateway that tokens with scopes go through."""
    if profile.jsm is not None and profile.jsm.cloud_id is not None:
        raise NotReady("jsm.cloud_id is set", f"{NO_SCOPED_TOKENS}\nThen delete jsm.cloud_id from the profile.")


def open_site_as(url: str, email: str, token: str, http: HttpClient, patience: Patience = PLAIN) -> tuple[JsmClient, Site]:
    """The same for an account that no profile names yet; ``email`` is empty on Data Center."""
    given: Authentication = ApiToken(email, token) if email else PersonalAccessToken(token)
    site = recognize(url, given, http, patience)
    if site.is_cloud and not email:
        raise NotReady(
            "jsm.email is missing: this is a Cloud site, which wants the service account's email", "Run: jsmsso jsm connect --email E"
        )
    authentication = given if site.is_cloud else PersonalAccessToken(token)
    return JsmClient(http.session(), url, authentication, patience), site


def http_client(profile: Profile, path: Path) -> HttpClient:
    """Out into the network as the profile's ``http:`` says; ``ca_bundle`` is relative to the profile's folder."""
    http = profile.http
    return HttpClient(HttpSettings(http.proxy, http.no_proxy, str(path.parent / http.ca_bundle) if http.ca_bundle else None))


def recognize(url: str, fallback: Authentication | None, http: HttpClient, patience: Patience = PLAIN) -> Site:
    """What kind of site is there, asked without a login; with ``fallback`` where the site answers nobody else."""
    try:
        return read_site(JsmClient(http.session(), url, None, patience))
    except JsmRefused as error:
        if error.status not in (401, 403) or fallback is None:
            raise
    return read_site(JsmClient(http.session(), url, fallback, patience))


def usable_token(token: str, reference: str) -> str:
    """The token without the line break that files and pipes leave behind it. Raises :class:`SecretUnavailable`."""
    token = token.strip()
    if not token or not token.isascii() or not token.isprintable() or " " in token:
        raise SecretUnavailable(
            reference, f"{reference} holds no token: it is empty, or has spaces or special characters in it", "Copy it again."
        )
    return token
