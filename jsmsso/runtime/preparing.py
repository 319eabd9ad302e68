"""From a profile on disk to something that can be served, or every reason why not."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from secrets import token_urlsafe
from typing import TYPE_CHECKING

from jsmsso.errors import JsmFailed, NotReady, ProviderFailed
from jsmsso.jsm.connection import usable_token
from jsmsso.profile.locating import locate_profile
from jsmsso.profile.model import Profile
from jsmsso.profile.readiness import serving_notes
from jsmsso.profile.reading import read_profile
from jsmsso.profile.secrets import read_secret
from jsmsso.providers.settings import without_access_rules
from jsmsso.runtime.deployment import Deployment, Secrets

if TYPE_CHECKING:
    from jsmsso.runtime.application import Application


@dataclass(frozen=True, slots=True)
class Prepared:
    """A profile that may be served, with its secrets. Goes from the parent to the workers as it is."""

    profile: Profile
    secrets: Secrets = field(repr=False)
    path: Path
    notes: Sequence[str] = ()
    """What the profile asks for that is not acted on yet, and what the operator should know."""
    shared: Path | None = None
    """A folder of the parent's in which workers leave their numbers, and see that the end has begun."""

    def deployment(self, *, shared: Path | None = None) -> Deployment:
        """What every request of a worker shares."""
        return Deployment(self.profile, self.secrets, self.path, shared=shared)

    def application(self, *, warm: bool = True) -> Application:
        """The WSGI application. ``warm``: fetch the providers' metadata behind the scenes, so that the first login need not.

        So it is with what pages of hosted portals need of JSM, and their first one.
        """
        from jsmsso.runtime.application import Application

        deployment = self.deployment(shared=self.shared)
        application = Application(deployment)
        if warm and deployment.records is not None:
            threading.Thread(target=deployment.records.work, name="jsmsso-queue", daemon=True).start()
        if warm:
            threading.Thread(target=_warm, args=(deployment,), name="jsmsso-warm", daemon=True).start()
        if warm and application.learn is not None:
            threading.Thread(target=_learn, args=(application.learn, deployment), name="jsmsso-learn", daemon=True).start()
        return application


def prepare(profile_path: str = "", *, same_secrets_as: Prepared | None = None) -> Prepared:
    """Read and check a profile and all its secrets. Raises :class:`NotReady` and what reading raises.

    A loopback ``public_url`` without a session secret gets one for this run (or that of ``same_secrets_as``).
    """
    path = locate_profile(profile_path)
    profile = read_profile(path)
    notes = serving_notes(profile)
    if notes.refused:
        raise NotReady("this profile cannot be served yet:\n" + "\n".join(f"  {note}" for note in notes.refused))
    if not profile.providers:
        raise NotReady("the profile has no provider", "Add one: jsmsso provider add cognito")
    if open_to_all := without_access_rules(profile):
        raise NotReady(
            f"anybody can make an account at {' and '.join(open_to_all)}, and no access rule says who may enter",
            "Write rules under access:, or allow: everyone if that is meant.",
        )
    base = path.parent
    session = tuple(read_secret(reference, base=base) for reference in profile.session.secret or ())
    if not session:
        session = same_secrets_as.secrets.session if same_secrets_as else (token_urlsafe(32),)
    short = [reference for reference, secret in zip(profile.session.secret or (), session, strict=False) if len(secret.encode()) < 32]
    if short:
        raise NotReady(f"session.secret: what {short[0]} leads to is shorter than 32 bytes", "Make one: openssl rand -base64 48")
    clients = {
        name: read_secret(provider.client_secret, base=base) if provider.client_secret else None
        for name, provider in profile.providers.items()
    }
    keys = {name: read_secret(one.client_key, base=base) for name, one in profile.providers.items() if one.client_key}
    jsm_tokens = _jsm_tokens(profile, base)
    store_password = read_secret(profile.store.password, base=base) if profile.store and profile.store.password else None
    return Prepared(profile, Secrets(session, clients, keys, *jsm_tokens, store_password=store_password), path, notes.named)


def _jsm_tokens(profile: Profile, base: Path) -> tuple[str, str]:
    """The service account's token and the administrator's, where serving needs them."""
    jsm = profile.jsm
    if jsm is None or not profile.asks_jsm:
        return "", ""
    token = usable_token(read_secret(jsm.api_token, base=base), jsm.api_token)
    admin = jsm.admin_api_token
    return token, usable_token(read_secret(admin, base=base), admin) if admin and jsm.customers.create else ""


def _warm(deployment: Deployment) -> None:
    for served in deployment.providers.values():
        try:
            served.party.warm()
        except ProviderFailed as error:
            deployment.events.write("provider.unreachable", provider=served.name, reason=error.code, detail=error.message, hint=error.hint)
        except Exception as error:  # the edge of this thread: the first login meets it again and says more
            deployment.events.write("fault", provider=served.name, reason=type(error).__name__)


def _learn(learn: Callable[[], None], deployment: Deployment) -> None:
    try:
        learn()
    except JsmFailed as error:  # the first page asks, and says so where it must
        deployment.events.write("jsm.not_learnt", level="debug", reason=error.code, detail=error.message, hint=error.hint)
    except Exception as error:  # the edge of this thread
        deployment.events.write("fault", reason=type(error).__name__, where="learning")
