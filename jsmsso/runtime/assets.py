"""Style sheet, logo and colours, at addresses that change with their content."""

from __future__ import annotations

import hashlib
from importlib.resources import files
from pathlib import Path

from jsmsso.errors import NotReady
from jsmsso.profile.model import Branding
from jsmsso.runtime.replies import Headers, Reply

_LOGO_TYPES = {".svg": "image/svg+xml", ".png": "image/png", ".jpg": "image/jpeg", ".jpeg": "image/jpeg", ".webp": "image/webp"}
MAX_LOGO = 200_000  # bytes
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; sandbox"  # an SVG opened by itself does nothing


class Assets:
    """What pages load. ``style``, ``script``, ``logo`` and ``colors`` are paths of ours; ``colors`` is empty without own colours."""

    def __init__(self, branding: Branding, folder: Path, base_path: str) -> None:
        self._base_path = base_path
        self._served: dict[str, tuple[bytes, str]] = {}
        here = files("jsmsso.runtime") / "assets"
        self.style = self._add("portal.css", (here / "portal.css").read_bytes(), "text/css; charset=utf-8")
        script = files("jsmsso.portal") / "assets" / "portal.js"  # only the hosted portals' pages name it
        self.script = self._add("portal.js", script.read_bytes(), "text/javascript; charset=utf-8")
        picture = files("jsmsso.portal") / "assets" / "request.svg"
        self.request_icon = self._add("request.svg", picture.read_bytes(), "image/svg+xml")
        if branding.logo:
            self.logo = self._add_logo(folder / branding.logo)
        else:
            self.logo = self._add("logo.svg", (here / "logo.svg").read_bytes(), "image/svg+xml")
        colours = _colours(branding)
        self.colors = self._add("colors.css", colours.encode(), "text/css; charset=utf-8") if colours else ""

    def reply(self, path: str, headers: Headers) -> Reply:
        """The asset at ``/assets/<HASH>/<name>``, to be kept for a year, or 404."""
        found = self._served.get(path)
        if found is None:
            return headers.plain(404, "Not found.")
        body, content_type = found
        return headers.content(200, body, content_type, _POLICY, cache="public, max-age=31536000, immutable")

    def _add(self, name: str, body: bytes, content_type: str) -> str:
        path = f"/assets/{hashlib.sha256(body).hexdigest()[:12]}/{name}"
        self._served[path] = body, content_type
        return self._base_path + path

    def _add_logo(self, path: Path) -> str:
        content_type = _LOGO_TYPES.get(path.suffix.lower())
        if content_type is None:
            raise NotReady(f"branding.logo: {path.name} is no image that is served", f"Use one of {', '.join(_LOGO_TYPES)}.")
        try:
            body = path.read_bytes()
        except OSError as error:
            raise NotReady(f"branding.logo: {path} cannot be read: {error.strerror}") from error
        if len(body) > MAX_LOGO:
            raise NotReady(f"branding.logo: {path.name} has {len(body)} bytes, at most {MAX_LOGO} are served")
        return self._add(f"logo{path.suffix.lower()}", body, content_type)


def _colours(branding: Branding) -> str:
    light, dark = branding.colors.accent, branding.colors.accent_dark
    sheet = f":root {{ --accent: {light}; --accent-text: {_text_on(light)}; }}\n" if light else ""
    if dark:
        sheet += f"@media (prefers-color-scheme: dark) {{ :root {{ --accent: {dark}; --accent-text: {_text_on(dark)}; }} }}\n"
    return sheet


def _text_on(colour: str) -> str:
    """Black or white, whichever stands out more (WCAG 2.2, relative luminance)."""
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    luminance = 0.2126 * red + 0.7152 * green + 0.0722 * blue
    return "#000000" if (luminance + 0.05) ** 2 > 1.05 * 0.05 else "#ffffff"
