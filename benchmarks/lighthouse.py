"""`make lighthouse`: Google's Lighthouse over every hosted page, in the system's Chromium, over the local JSM.

Exits with 1 where a page has less than 100 for performance or accessibility, or less than 95 for best practices.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

from rich import box
from rich.console import Console
from rich.table import Table

from jsmsso.sandbox.jsm_articles import EXAMPLES
from tests.portal.served_here import served, some_requests
from tests.services.browser import ARGUMENTS, find_chromium

COMMAND = Path(__file__).parent / "lighthouse/node_modules/lighthouse/cli/index.js"
LEAST = {"performance": 100, "accessibility": 100, "best-practices": 95}
PORTAL = {"knowledge_base": "all_customers", "sharing": "typed_addresses", "customer_transitions": ["Resolve this issue"]}


def main() -> int:
    chromium = find_chromium()
    if not chromium or not COMMAND.exists():
        print("Chromium or Lighthouse is not here; make lighthouse installs the latter.", file=sys.stderr)
        return 1
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port = one.getsockname()[1]
    with tempfile.TemporaryDirectory() as folder, served(Path(folder), port, help=PORTAL) as hosted:
        hosted.jsm.site.articles = list(EXAMPLES)
        issue = some_requests(hosted)
        browser = hosted.signed_in(hosted.ann, zoneinfo="Europe/Berlin")
        cookie = "; ".join(f"{name}={value}" for name, value in browser.cookies.items())
        addresses = {
            "portal": "/portal/HELP",
            "search": "/portal/HELP/search?q=monitor",
            "article": browser.get("/portal/HELP/search?q=monitor").link("A monitor"),
            "form": "/portal/HELP/create/103",
            "requests": "/requests?state=all",
            "request": f"/portal/HELP/{issue.key}",
            "portals": "/",
        }
        found = {name: _scores(chromium, hosted.site.public_url + address, cookie) for name, address in addresses.items()}
        found["sign-in"] = _scores(chromium, hosted.site.public_url + "/", "")
    table = Table("page", *LEAST, title="Lighthouse, of 100", title_justify="left", box=box.SIMPLE_HEAD, show_edge=False)
    for name, scores in found.items():
        table.add_row(name, *(f"{scores[one]}" for one in LEAST))
    Console(highlight=False).print(table)
    return 1 if any(scores[one] < least for scores in found.values() for one, least in LEAST.items()) else 0


def _scores(chromium: str, url: str, cookie: str) -> dict[str, int]:
    """A phone's scores, as Lighthouse counts them by default."""
    with tempfile.NamedTemporaryFile(suffix=".json") as headers:
        headers.write(json.dumps({"Cookie": cookie} if cookie else {}).encode())
        headers.flush()
        command = ["node", str(COMMAND), url, "--output=json", "--quiet", "--no-enable-error-reporting", f"--extra-headers={headers.name}"]
        command += [f"--only-categories={','.join(LEAST)}", f"--chrome-flags=--headless=new {' '.join(ARGUMENTS)}"]
        for _ in range(3):  # "Please run Lighthouse again", it says itself where Chromium recorded nothing
            done = subprocess.run(command, capture_output=True, env=os.environ | {"CHROME_PATH": chromium}, timeout=180)
            if b"NO_NAVSTART" not in done.stderr:
                break
    if done.returncode:
        sys.exit(done.stderr.decode("utf-8", "replace"))
    told = json.loads(done.stdout)["categories"]
    return {name: round(told[name]["score"] * 100) for name in LEAST}


if __name__ == "__main__":
    sys.exit(main())
