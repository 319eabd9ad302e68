"""From the profile to a client: the site's kind decides how the service account logs in, the token's kind by which way."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from jsmsso.errors import JsmFailed, JsmRefused, NotReady, SecretUnavailable
from jsmsso.http_client import HttpClient
from jsmsso.jsm.account import Account, who_am_i
from jsmsso.jsm.authentication import ApiToken, Authentication, PersonalAccessToken
from jsmsso.jsm.calm import Calm
from jsmsso.jsm.client import PLAIN, JsmClient, Patience
from jsmsso.jsm.gateway import find_cloud_id, gateway_url
from jsmsso.jsm.refusals import lacks_scope
from jsmsso.jsm.site import Site, read_site
from jsmsso.profile.model import Jsm, Profile
from jsmsso.profile.secrets import read_secret

FILE_DEADLINE = 120.0  # seconds that a file has on its way, where the page that waits for it allows that much
MOST_FILE = 100 * 1024 * 1024  # bytes


@dataclass(frozen=True, slots=True)
class Way:
    """How a site is reached as an account. ``cloud_id`` is empty where its own address takes the token."""

    client: JsmClient
    site: Site
    account: Account
    cloud_id: str


def open_site(profile: Profile, path: Path, http: HttpClient, patience: Patience = PLAIN) -> tuple[JsmClient, Site]:
    """A client that is logged in as the profile's service account, and the site it speaks to.

    Raises :class:`NotReady` for a profile without a site, :class:`SecretUnavailable`, and JSM's errors.
    """
    jsm = _jsm_of(profile)
    token = usable_token(read_secret(jsm.api_token, base=path.parent), jsm.api_token)
    return open_site_as(jsm.url, jsm.email or "", token, http, patience, jsm.cloud_id or "")


def open_admin_client(
    profile: Profile, path: Path, http: HttpClient, patience: Patience = PLAIN, calm: Calm | None = None
) -> JsmClient | None:
    """A client for creating customers, logged in by ``jsm.admin_api_token``; None where the profile has none.

    It belongs to ``jsm.admin_email``, else to ``jsm.email``. Raises as :func:`open_site` does, but asks the site nothing.
    """
    jsm = _jsm_of(profile)
    if jsm.admin_api_token is None:
        return None
    token = usable_token(read_secret(jsm.admin_api_token, base=path.parent), jsm.admin_api_token)
    return _client(jsm.url, _login(jsm.admin_email or jsm.email or "", token), http, patience, calm, jsm.cloud_id or "")


def clients_of(
    jsm: Jsm, token: str, admin_token: str, http: HttpClient, *, patience: Patience = PLAIN, calm: Calm | None = None
) -> tuple[JsmClient, JsmClient]:
    """Clients as the service account and as the one that creates customers, from secrets already read; asks the site nothing.

    The second one is the first where ``admin_token`` is empty. Both hold back when either of them is told to.
    """
    calm = calm or Calm()
    client = _client(jsm.url, _login(jsm.email or "", token), http, patience, calm, jsm.cloud_id or "")
    if not admin_token:
        return client, client
    return client, _client(jsm.url, _login(jsm.admin_email or jsm.email or "", admin_token), http, patience, calm, jsm.cloud_id or "")


def open_site_as(
    url: str, email: str, token: str, http: HttpClient, patience: Patience = PLAIN, cloud_id: str = ""
) -> tuple[JsmClient, Site]:
    """The same for an account that no profile names yet; ``email`` is empty on Data Center."""
    client = _client(url, _login(email, token), http, patience, None, cloud_id)
    site = recognize_within(client)
    if site.is_cloud and not email:
        raise NotReady(
            "jsm.email is missing: this is a Cloud site, which wants the service account's email", "Run: jsmsso jsm connect --email E"
        )
    if email and not site.is_cloud:
        client = _client(url, PersonalAccessToken(token), http, patience, None)
    return client, site


def find_way(url: str, email: str, token: str, http: HttpClient, patience: Patience = PLAIN, cloud_id: str = "") -> Way:
    """The way that this token takes: the site's own address, or the gateway for a token with scopes.

    ``cloud_id`` is tried where the site does not tell its own. Raises JSM's errors: the gateway's where it knows
    the token, else the site's.
    """
    client, site = open_site_as(url, email, token, http, patience)
    try:
        return Way(client, site, who_am_i(client, site), "")
    except JsmRefused as error:
        if not site.is_cloud or error.status not in (401, 403):
            raise
        refused = error
    try:
        cloud_id = find_cloud_id(client.as_stranger())
    except JsmFailed:
        if not cloud_id:
            raise refused from None
    behind = _client(url, _login(email, token), http, patience, None, cloud_id)
    try:
        return Way(behind, site, who_am_i(behind, site), cloud_id)
    except JsmRefused as error:
        unknown_there = error.status == 401 and not lacks_scope(error)
        raise (refused if unknown_there else error) from None


def recognize(url: str, http: HttpClient, patience: Patience = PLAIN) -> Site:
    """What kind of site is there, asked without a login."""
    return read_site(JsmClient(http.session(), url, None, patience))


def recognize_within(client: JsmClient) -> Site:
    """What kind of site the client speaks to: asked without its login first, then with it where the site answers nobody else."""
    try:
        return read_site(client.as_stranger())
    except JsmRefused as error:
        if error.status not in (401, 403):
            raise
    return read_site(client)


def usable_token(token: str, reference: str) -> str:
    """The token without the line break that files and pipes leave behind it. Raises :class:`SecretUnavailable`."""
    token = token.strip()
    if not token or not token.isascii() or not token.isprintable() or " " in token:
        raise SecretUnavailable(
            reference, f"{reference} holds no token: it is empty, or has spaces or special characters in it", "Copy it again."
        )
    return token


def _jsm_of(profile: Profile) -> Jsm:
    if profile.jsm is None:
        raise NotReady("the profile names no JSM site", "Run: jsmsso jsm connect")
    return profile.jsm


def _login(email: str, token: str) -> Authentication:
    return ApiToken(email, token) if email else PersonalAccessToken(token)


def _client(
    url: str, authentication: Authentication, http: HttpClient, patience: Patience, calm: Calm | None, cloud_id: str = ""
) -> JsmClient:
    api_url = gateway_url(url, cloud_id) if cloud_id else ""
    files = http.session(deadline=FILE_DEADLINE, max_bytes=MOST_FILE)
    return JsmClient(http.session(), url, authentication, patience, calm=calm, api_url=api_url, files=files)
