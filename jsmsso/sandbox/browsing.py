"""A browser without pages: keeps cookies, follows nothing by itself. For walking the demo's path and for tests."""

from __future__ import annotations

import http.client
from dataclasses import dataclass, field
from urllib.parse import urljoin, urlsplit


@dataclass(frozen=True, slots=True)
class Page:
    """What came back; ``location`` is absolute, empty where there is none."""

    address: str
    status: int
    location: str
    text: str = field(repr=False)


class Browsing:
    """One visitor on loopback addresses, with a cookie jar per host as browsers have."""

    def __init__(self) -> None:
        self._jars: dict[str, dict[str, str]] = {}

    def get(self, address: str, headers: dict[str, str] | None = None) -> Page:
        """One request as a page load. A connection that is refused is a page of status 0."""
        parts = urlsplit(address)
        host = parts.hostname or ""
        jar = self._jars.setdefault(host, {})
        sent = {"Accept": "text/html", "Sec-Fetch-Mode": "navigate", **(headers or {})}
        if jar:
            sent["Cookie"] = "; ".join(f"{name}={value}" for name, value in jar.items())
        connection = http.client.HTTPConnection("127.0.0.1" if host == "localhost" else host, parts.port, timeout=20)
        try:
            connection.request("GET", parts._replace(scheme="", netloc="").geturl() or "/", headers=sent | {"Host": parts.netloc})
            answer = connection.getresponse()
            text = answer.read().decode(errors="replace")
        except OSError:
            return Page(address, 0, "", "")
        finally:
            connection.close()
        for line in answer.headers.get_all("Set-Cookie", []):
            pair, _, attributes = line.partition(";")
            name, _, value = pair.partition("=")
            if "max-age=0" in attributes.lower():
                jar.pop(name.strip(), None)
            else:
                jar[name.strip()] = value
        return Page(address, answer.status, urljoin(address, answer.headers["Location"]) if answer.headers["Location"] else "", text)
