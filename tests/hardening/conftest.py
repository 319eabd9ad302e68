"""The sites and browsers of tests/runtime, and a real server for what only a server can show."""

from __future__ import annotations

from tests.runtime.conftest import another_provider, browser, make_site, provider, site

__all__ = ["another_provider", "browser", "make_site", "provider", "site"]
