"""``jsmsso demo``: the whole job on this machine, by the commands an administrator would type."""

from __future__ import annotations

import secrets
import shlex
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

from jsmsso.cli.render import Result, show
from jsmsso.errors import CheckFailed, JsmssoError, MachineFailed

if TYPE_CHECKING:
    from jsmsso.sandbox.cognito import LocalCognito
    from jsmsso.sandbox.local_jsm import LocalJsm

app = typer.Typer(add_completion=False)

PREFERRED_PORT = 8080
PROFILE = "jsmsso.yaml"
LOG = "serve.log"
READY_SECONDS = 30.0

_PROFILE = """\
version: 1
public_url: {public_url}

access:
  - allow: {{claim: cognito:groups, any_of: [customers]}}

session: {{secret: file:session-secret}}
store: sqlite:///{store}
support: {{text: Ask the IT desk, email: help@acme.com}}
log: {{format: human}}
"""


@app.command()
def demo(
    check: Annotated[bool, typer.Option("--check", help="Walk the whole path without a browser, then stop; exit 0 if it works.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="With --check: print the steps as one JSON document.")] = False,
    port: Annotated[
        int | None,
        typer.Option(min=1, max=65535, help="Serve the portals at this port. Default: 8080, or any free one.", show_default=False),
    ] = None,
) -> None:
    """Try all of it on this machine, with no account anywhere: a Cognito, a JSM, jsmsso. Ctrl-C stops everything."""
    signal.signal(signal.SIGTERM, _leave)
    steps: list[dict[str, Any]] = []
    say = _silent if as_json else _print
    with ExitStack() as running:
        stage = running.enter_context(_stage(say, port))
        if not check:
            say(stage.invitation())
            stage.wait()
            return
        failed = False
        try:
            for name, done in stage.walk():
                steps.append({"step": name, "result": "ok", "detail": done})
                say(f"  ok    {name:<28}{done}")
        except JsmssoError as error:
            failed = True
            steps.append({"step": "broke here", "result": "fail", "detail": error.message})
            say(f"  fail  {error.message}")
            if stage.log.exists():
                say(stage.log.read_text()[-2000:])
    show(Result(data=steps, text="" if failed else "The whole path works.", exit_code=int(failed)), as_json=as_json)


class _Stage:
    """What runs, and what can be done with it."""

    def __init__(
        self, cognito: LocalCognito, site: LocalJsm, public_url: str, server: subprocess.Popen[bytes], folder: Path, request: str
    ) -> None:
        self.cognito = cognito
        self.site = site
        self.public_url = public_url
        self.server = server
        self.profile = folder / PROFILE
        self.log = folder / LOG
        self.request = request

    def invitation(self) -> str:
        return f"""
Open     {self.public_url}/portal/HELP
Log in   {self.cognito.email}
         {self.cognito.password}

You will see Cognito's login page, then the portal, made of what the local JSM has. Then try:
  {self.public_url}/portal/HR               another portal: no second login
  {self.public_url}/portal/HELP/{self.request:<11} a request: the link goes all the way
  {self.public_url}/requests                your requests, and those of your organization
  {self.public_url}/                        your portals, and the way to sign out

Other commands work here too, from a second terminal:
  {shlex.quote(_jsmsso())} --profile {self.profile} audit
The log is {self.log}. Ctrl-C stops all of it.
"""

    def wait(self) -> None:
        """Until Ctrl-C, or until the server ends by itself."""
        try:
            code = self.server.wait()
        except KeyboardInterrupt:
            print("\nStopped.", file=sys.stderr)
            raise typer.Exit(130) from None
        raise MachineFailed(f"the server ended by itself with exit code {code}", f"See its log: {self.log}")

    def walk(self) -> Iterator[tuple[str, str]]:
        """Each step of a customer's way, and what came of it. Raises :class:`CheckFailed` where it breaks."""
        from jsmsso.sandbox.browsing import Browsing
        from jsmsso.sandbox.cognito import log_in

        browser = Browsing()
        link = f"{self.public_url}/portal/HELP/{self.request}"
        to_provider = browser.get(link)
        self._expect(to_provider.status == 302 and to_provider.location.startswith(self.cognito.base_url), "the portal link", to_provider)
        yield "portal link", "leads to Cognito's login page"
        callback = log_in(to_provider.location, self.cognito.email, self.cognito.password)
        self._expect(callback.startswith(f"{self.public_url}/callback?"), "Cognito's login", callback)
        yield "login at Cognito", f"as {self.cognito.email}"
        signed_in = browser.get(callback)
        self._expect(signed_in.status == 303, "the callback", signed_in)
        yield "callback", "code exchanged, ID token checked, access allowed"
        known = [person.id for person in self.site.site.people.with_email(self.cognito.email)]
        desk = self.site.site.desks[0]
        self._expect(len(known) == 1 and known[0] in desk.customers, "the customer's record in JSM", known)
        yield "customer in JSM", "found by the address, put on the service desk HELP"
        landed = browser.get(signed_in.location)
        self._expect(landed.status == 200 and "Access to the finance share" in landed.text, "the request", landed)
        yield "request", f"{self.request} is shown, with its conversation"
        portal = browser.get(f"{self.public_url}/portal/HELP")
        self._expect(portal.status == 200 and "Get IT help" in portal.text, "the portal", portal)
        yield "portal", "shows what can be asked for, and the latest requests"
        used = browser.get(callback)
        self._expect(used.status == 400, "the callback used twice", used)
        yield "callback, a second time", "refused"
        portals = browser.get(f"{self.public_url}/")
        self._expect(portals.status == 200 and "/portal/HR" in portals.text, "the list of portals", portals)
        yield "list of portals", "shows all three"
        out = browser.get(f"{self.public_url}/logout", {"Sec-Fetch-Site": "same-origin"})
        self._expect(out.status == 303 and out.location.startswith(f"{self.cognito.base_url}/logout"), "the logout", out)
        goodbye = browser.get(browser.get(out.location).location)
        self._expect(goodbye.status == 200 and "signed out" in goodbye.text, "the page after the logout", goodbye)
        yield "logout", "here and at Cognito"
        again = browser.get(link)
        self._expect(again.location.startswith(self.cognito.base_url), "the portal link after the logout", again)
        yield "portal link, afterwards", "asks for a login again"

    def _expect(self, good: bool, where: str, found: object) -> None:
        if not good:
            raise CheckFailed(f"{where} did not work: {found}")


@contextmanager
def _stage(say: Callable[[str], None], port: int | None) -> Iterator[_Stage]:
    from jsmsso.sandbox.cognito import local_cognito
    from jsmsso.sandbox.jsm_site import SERVICE_ACCOUNT, LocalSite
    from jsmsso.sandbox.local_jsm import LocalJsm

    with tempfile.TemporaryDirectory(prefix="jsmsso-demo-") as name, ExitStack() as running:
        folder = Path(name)
        public_url = f"http://localhost:{_free_port(port)}"
        say("A Cognito, a JSM and jsmsso on this machine, with no account anywhere.\n")
        callbacks = [f"{public_url}/callback", "http://localhost:8400/callback"]
        cognito = running.enter_context(local_cognito(callbacks, [f"{public_url}/logged-out"]))
        say(f"  ok    Cognito    {cognito.base_url} (MiniStack), user pool {cognito.user_pool_id}")
        account = replace(SERVICE_ACCOUNT, role="administrator")
        site = running.enter_context(LocalJsm(LocalSite(accounts=(account,))))
        say(f"  ok    JSM        {site.url} (as Cloud), three service desks\n")
        examples = site.add_example_requests(site.add_customer(cognito.email, "Ada Lovelace"))
        request = next(one.key for one in examples if one.summary == "Access to the finance share")
        profile = folder / PROFILE
        profile.write_text(_PROFILE.format(public_url=public_url, store=folder / "state.db"))
        for file, secret in (
            ("session-secret", secrets.token_urlsafe(48)),
            ("client-secret", cognito.client_secret),
            ("api-token", site.account.token),
        ):
            (folder / file).write_text(secret)
            (folder / file).chmod(0o600)
        where = ["--domain", cognito.domain, "--user-pool-id", cognito.user_pool_id, "--discovery-url", cognito.discovery_url]
        client = ["--client-id", cognito.client_id, "--client-secret", "file:client-secret"]
        _run(say, profile, "provider", "add", "cognito", *where, *client)
        _run(say, profile, "jsm", "connect", "--url", site.url, "--email", site.account.email, "--api-token", "file:api-token")
        _write_customers(profile)
        say("  + jsm.customers in the profile: {create: true, add_to_service_desk: true}")
        _run(say, profile, "portals", "sync")
        say("  $ jsmsso serve")
        log = folder / LOG
        with log.open("wb") as stream:
            server = subprocess.Popen(_command(profile, "serve"), stdout=stream, stderr=stream, stdin=subprocess.DEVNULL)
        running.callback(_end, server)
        _wait_until_ready(public_url, server, log)
        yield _Stage(cognito, site, public_url, server, folder, request)


def _run(say: Callable[[str], None], profile: Path, *arguments: str) -> None:
    say("  $ jsmsso " + shlex.join(arguments).replace(" --", " \\\n      --"))
    done = subprocess.run(_command(profile, *arguments), capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False)
    if done.returncode:
        raise CheckFailed(f"jsmsso {arguments[0]} {arguments[1]} ended with exit code {done.returncode}:\n{done.stdout}{done.stderr}")


def _write_customers(profile: Path) -> None:
    """What an administrator writes into the file: a customer who has no account in JSM gets one."""
    from jsmsso.profile.editing import editing

    with editing(profile) as document:
        document.data["jsm"]["customers"] = {"create": True, "add_to_service_desk": True}


def _command(profile: Path, *arguments: str) -> list[str]:
    return [sys.executable, "-m", "jsmsso", "--profile", str(profile), *arguments]


def _jsmsso() -> str:
    """The command beside this Python, which a person can type, also where no environment is activated."""
    beside = Path(sys.executable).with_name("jsmsso")
    return str(beside) if beside.exists() else "jsmsso"


def _wait_until_ready(public_url: str, server: subprocess.Popen[bytes], log: Path) -> None:
    from jsmsso.sandbox.browsing import Browsing

    ends = time.monotonic() + READY_SECONDS
    while time.monotonic() < ends and server.poll() is None:
        if Browsing().get(f"{public_url}/healthz").status == 200:
            return
        time.sleep(0.05)
    raise MachineFailed("the server did not start", log.read_text()[-2000:])


def _end(server: subprocess.Popen[bytes]) -> None:
    server.terminate()
    try:
        server.wait(timeout=10)
    except subprocess.TimeoutExpired:
        server.kill()
        server.wait()


def _free_port(wanted: int | None) -> int:
    for port in (wanted,) if wanted else (PREFERRED_PORT, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    if wanted:
        raise MachineFailed(f"port {wanted} cannot be listened on: another program has it, or it takes root", "Name another: --port 9000")
    raise MachineFailed("there is no free port on 127.0.0.1")


def _leave(*_: object) -> NoReturn:
    raise SystemExit(143)


def _print(text: str) -> None:
    print(text, flush=True)


def _silent(text: str) -> None:
    del text
