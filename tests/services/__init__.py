"""The real parts that tests run against: how each is started, and where it is looked for."""

from __future__ import annotations

from pathlib import Path

SERVICES = Path(__file__).parent
REPOSITORY = SERVICES.parent.parent
NODE_MODULES = SERVICES / "node_modules"
