"""A call that failed, in words: which part of the way it was, and which key of the profile may help."""

from __future__ import annotations

import ssl
from typing import Any
from urllib.parse import urlsplit

from urllib3.exceptions import (
    ConnectTimeoutError,
    NameResolutionError,
    NewConnectionError,
    ProtocolError,
    ProxyError,
    ReadTimeoutError,
    SSLError,
)

from jsmsso.errors import WireFailed

MAX_SHOWN = 200  # characters of what another machine wrote
_UNKNOWN_AUTHORITY = frozenset((2, 18, 19, 20, 21, 27))
"""OpenSSL's X509_V_ERR codes for a chain that does not end at an authority that is trusted."""
_NOT_YET_VALID = 9


class NotTrusted(ssl.SSLCertVerificationError):
    """A certificate that was refused. ``signed_by`` names the authority above the last one that the server sent, if it is known."""

    signed_by: str = ""


class EvidentSocket(ssl.SSLSocket):
    """A TLS connection that says of a certificate which it refused who signed it; ``SSLContext.sslsocket_class``."""

    def do_handshake(self, block: bool = False) -> None:
        try:
            super().do_handshake(block)
        except ssl.SSLCertVerificationError as error:
            refused = NotTrusted(*error.args)
            refused.verify_code, refused.verify_message = error.verify_code, error.verify_message
            refused.signed_by = _signed_by(self)
        else:
            return
        raise refused


def wire_failure(error: Exception, url: str, address: str, *, proxy: str | None, ca_bundle: str | None) -> WireFailed:
    """What urllib3 raised for ``url`` as our own error. ``address`` is the URL as it may be shown, ``proxy`` the one it went through."""
    host = urlsplit(url).hostname
    refused = innermost(error)
    if proxy is not None and (isinstance(error, ProxyError) or refused.startswith("Tunnel connection failed")):
        return _proxy_failure(error, refused, address, host or "", proxy, ca_bundle)
    match error:
        case NameResolutionError():
            return WireFailed("resolve", address, f"the name {host} cannot be resolved")
        case SSLError() | ssl.SSLError():
            return _tls_failure(error, address, ca_bundle)
        case NewConnectionError() | ConnectionError():  # before the timeouts: urllib3 counts it among them
            return WireFailed("connect", address, f"no connection: {refused}")
        case ConnectTimeoutError() | ReadTimeoutError() | TimeoutError():
            return WireFailed("timeout", address, "no answer in time")
        case ProtocolError():
            return WireFailed("protocol", address, "the connection was closed before the answer was whole")
    return WireFailed("protocol", address, f"the answer cannot be read: {type(error).__name__}")


def innermost(error: BaseException) -> str:
    """What the operating system or the standard library said at the bottom of an error."""
    while (inner := error.__cause__ or error.__context__) is not None:
        error = inner
    return getattr(error, "strerror", None) or (str(error) if type(error) is OSError else type(error).__name__)


def _proxy_failure(error: Exception, said: str, address: str, host: str, proxy: str, ca_bundle: str | None) -> WireFailed:
    place = proxy.rpartition("://")[2].rpartition("@")[2].rstrip("/")
    if _refused_certificate(error):  # of a proxy that is spoken to over TLS
        return _tls_failure(error, f"the proxy {place}", ca_bundle)
    answer = _printable(said.removeprefix("Tunnel connection failed: "))
    if not said.startswith("Tunnel"):
        return WireFailed(
            "proxy", address, f"the proxy {place} cannot be reached: {said}", "See http.proxy in the profile, or HTTPS_PROXY."
        )
    hint = f"It must let jsmsso connect to {host}."
    if answer.startswith("407"):
        hint = f"Set HTTPS_PROXY=http://USER:PASSWORD@{place} where jsmsso is started, and leave http.proxy out: it takes no password."
    return WireFailed("proxy", address, f"the proxy {place} does not let it through: {answer}", hint)


def _tls_failure(error: Exception, address: str, ca_bundle: str | None) -> WireFailed:
    refused = _refused_certificate(error)
    if refused is None:
        return WireFailed("tls", address, f"no TLS connection: {innermost(error)}")
    if refused.verify_code not in _UNKNOWN_AUTHORITY:
        hint = "Is this machine's clock right?" if refused.verify_code == _NOT_YET_VALID else ""
        return WireFailed("tls", address, f"its certificate is not trusted: {refused.verify_message}", hint)
    authority = getattr(refused, "signed_by", "")
    by = f"it is signed by {authority}, a CA that is unknown here" if authority else refused.verify_message
    if ca_bundle is not None:
        hint = f"http.ca_bundle ({ca_bundle}) has no certificate of that CA: add it to the file if it is your company's."
    else:
        hint = (
            "If it is your company's CA, name a PEM file with its certificate as http.ca_bundle in the profile. That file alone is\n"
            "trusted then: add the public CAs that are still needed."
        )
    return WireFailed("tls", address, f"its certificate is not trusted: {by}", hint)


def _refused_certificate(error: BaseException | None) -> ssl.SSLCertVerificationError | None:
    while error is not None and not isinstance(error, ssl.SSLCertVerificationError):
        inner = error.args[-1] if error.args and isinstance(error.args[-1], BaseException) else None
        error = inner or error.__cause__
    return error


def _signed_by(connection: Any) -> str:
    """The issuer of the topmost certificate that the server sent: common name, else organization and unit.

    OpenSSL keeps the chain of a handshake that it refused; Python hands it out, before 3.13 by this way only.
    """
    try:
        chain = connection._sslobj.get_unverified_chain()
        issuer = {name: value for part in chain[-1].get_info()["issuer"] for name, value in part}
    except (AttributeError, LookupError, TypeError, ValueError, ssl.SSLError):
        return ""
    parts = [issuer[name] for name in ("organizationName", "organizationalUnitName") if name in issuer]
    name = issuer.get("commonName") or ", ".join(parts)
    return _printable(name)


def _printable(text: str) -> str:
    """What another machine wrote, fit for a terminal."""
    return "".join(c if c.isprintable() else "?" for c in text[:MAX_SHOWN])
