"""The provider of the profile that a command is about, and the way to its relying party."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from jsmsso.cli.connection.kept_tokens import KeptTokens, recall
from jsmsso.errors import NotReady, UsageError
from jsmsso.http_client import HttpClient
from jsmsso.oidc.relying_party import RelyingParty
from jsmsso.oidc.settings import ClientSettings
from jsmsso.profile.locating import locate_profile
from jsmsso.profile.model import Profile
from jsmsso.profile.outgoing import http_client
from jsmsso.profile.reading import read_profile
from jsmsso.profile.secrets import read_secret
from jsmsso.providers.known import provider_type
from jsmsso.providers.relying_party import Party, relying_party
from jsmsso.providers.settings import client_settings
from jsmsso.providers.types import ProviderType


def choose(profile: str, provider: str) -> Chosen:
    """The provider of that name, or else the first. Raises :class:`NotReady` or :class:`UsageError` where there is none."""
    path = locate_profile(profile)
    read = read_profile(path)
    names = list(read.providers)
    if not names:
        raise NotReady("the profile has no provider yet", "Add one with: jsmsso provider add cognito")
    if provider and provider not in names:
        raise UsageError(f"the profile has no provider {provider!r}", f"There is: {', '.join(names)}.")
    return Chosen(read, path, provider or names[0])


@dataclass(frozen=True, slots=True)
class Chosen:
    """A provider of the profile at ``path``."""

    profile: Profile
    path: Path
    name: str

    @property
    def base(self) -> Path:
        """Where relative ``file:`` references start."""
        return self.path.parent

    def recall(self) -> KeptTokens:
        """The tokens that are kept of it."""
        return recall(self.name, base=self.base)

    def settings(self, *, with_secret: bool) -> ClientSettings:
        """Those of a client whose issuer is known. Raises :class:`NotReady` for another."""
        profile, provider = self.profile, self.profile.providers[self.name]
        secret = key = None
        if with_secret:
            secret = read_secret(provider.client_secret, base=self.base) if provider.client_secret else None
            key = read_secret(provider.client_key, base=self.base) if provider.client_key else None
        else:  # who proves nothing needs no way to
            unproven = provider.model_copy(update={"client_auth": None})
            profile = profile.model_copy(update={"providers": {**profile.providers, self.name: unproven}})
        settings = client_settings(profile, self.name, client_secret=secret, client_key=key)
        if not settings.issuer:
            raise NotReady(f"the issuer of {self.name} is not pinned yet", f"Run: jsmsso test-connection --provider {self.name}")
        return settings

    def party(self, *, with_secret: bool) -> tuple[Party, ProviderType, HttpClient]:
        """The relying party of any type."""
        type_ = provider_type(self.profile.providers[self.name].type)
        http = http_client(self.profile, self.path)
        return relying_party(self.settings(with_secret=with_secret), type_, http), type_, http

    def openid_party(self) -> tuple[RelyingParty, ProviderType, HttpClient]:
        """The relying party, without any secret, where the provider speaks OpenID Connect. Raises :class:`UsageError` elsewhere."""
        party, type_, http = self.party(with_secret=False)
        if not isinstance(party, RelyingParty):
            raise UsageError(
                f"the type {type_.name} has no ID tokens, and its access tokens are opaque", "What its API says: jsmsso token userinfo"
            )
        return party, type_, http

    def check_fit(self, kept: KeptTokens, settings: ClientSettings) -> None:
        """Raise :class:`UsageError` for tokens of another client: they are not sent to this one's provider."""
        if not kept.fits(settings):
            raise UsageError(
                f"the kept tokens are of the client {kept.client_id} at {kept.issuer}, not of the profile's",
                f"Get others: jsmsso token get --provider {self.name}",
            )
