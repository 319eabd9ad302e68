"""The cookies' names and attributes: ``__Host-`` on https, plain names on a loopback http address."""

from __future__ import annotations

from dataclasses import dataclass, field

from jsmsso.runtime.replies import Header

LOGIN_SLOTS = 5  # logins that one browser may have under way at once
LOGIN_COOKIE_SECONDS = 3600  # longer than a login is good for, so that a late answer can be told from an unknown one
AFTER_LOGOUT_SECONDS = 900
PROVIDER_SECONDS = 365 * 86400  # for how long a browser's choice of a provider is remembered
MAX_HINT = 3800  # characters of an ID token that is kept as id_token_hint; browsers promise 4,096 for a whole cookie


@dataclass(frozen=True, slots=True)
class Cookies:
    """How this deployment writes its cookies. All are HttpOnly and SameSite=Lax, and all but ``hint`` for the whole host."""

    secure: bool
    base_path: str = ""
    session: str = field(init=False)
    after_logout: str = field(init=False)
    provider: str = field(init=False)
    hint: str = field(init=False)
    logins: tuple[str, ...] = field(init=False)
    _attributes: str = field(init=False)

    def __post_init__(self) -> None:
        prefix = "__Host-" if self.secure else ""
        object.__setattr__(self, "session", f"{prefix}jsmsso")
        object.__setattr__(self, "after_logout", f"{prefix}jsmsso-next")
        object.__setattr__(self, "provider", f"{prefix}jsmsso-provider")
        object.__setattr__(self, "hint", "__Secure-jsmsso-hint" if self.secure else "jsmsso-hint")
        object.__setattr__(self, "logins", tuple(f"{prefix}jsmsso-login-{slot}" for slot in range(LOGIN_SLOTS)))
        object.__setattr__(self, "_attributes", "; Path=/; HttpOnly; SameSite=Lax" + ("; Secure" if self.secure else ""))

    def set(self, name: str, value: str, max_age: int | None = None) -> Header:
        """``value`` is URL-safe text; without ``max_age`` (seconds) the cookie ends with the browser."""
        age = f"; Max-Age={max_age}" if max_age is not None else ""
        return "Set-Cookie", f"{name}={value}{age}{self._attributes}"

    def set_hint(self, id_token: str) -> Header:
        """The ID token for the provider's logout alone: the browser sends it to ``/logout`` and nowhere else."""
        return self._hint(id_token, "")

    def clear_hint(self) -> Header:
        return self._hint("", "; Max-Age=0")

    def _hint(self, value: str, age: str) -> Header:
        secure = "; Secure" if self.secure else ""
        return "Set-Cookie", f"{self.hint}={value}{age}; Path={self.base_path}/logout; HttpOnly; SameSite=Lax{secure}"

    def clear(self, name: str) -> Header:
        return "Set-Cookie", f"{name}=; Max-Age=0{self._attributes}"
