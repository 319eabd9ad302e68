"""A Jira Service Management site on loopback, for the demo and the tests: its REST API and its portal pages.

In this process::

    with LocalJsm() as jsm:
        print(jsm.url)

As a child process, which prints its address as one line once it listens::

    python -m jsmsso.sandbox.local_jsm --port 0 --desks 3
"""

from __future__ import annotations

import argparse
import collections
import threading
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from werkzeug.middleware.dispatcher import DispatcherMiddleware
from werkzeug.serving import WSGIRequestHandler, make_server
from werkzeug.wrappers import Request, Response

from jsmsso.errors import PortTaken
from jsmsso.sandbox.jsm_call import answer
from jsmsso.sandbox.jsm_examples import add_example_requests, add_requests
from jsmsso.sandbox.jsm_faults import Fault, Faults, hang_up, spoil
from jsmsso.sandbox.jsm_pages import portal_page
from jsmsso.sandbox.jsm_people import LocalPerson
from jsmsso.sandbox.jsm_requests import LocalIssue
from jsmsso.sandbox.jsm_rest import GATEWAY, THROUGH_GATEWAY, RestApi
from jsmsso.sandbox.jsm_site import Deployment, LocalAccount, LocalSite, default_desks

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

LARGEST_BODY = 1_000_000  # bytes of a request without files; far more than any call of ours
LARGEST_UPLOAD = 100_000_000  # bytes of one with files
REMEMBERED_BYTES = 1_000_000  # of one body or one answer: files are not kept whole
API = ("/rest/", "/secure/", "/jira/forms/", "/_edge/tenant_info")
REMEMBERED = 20_000  # requests, for whoever looks at what was asked


@dataclass(frozen=True, slots=True)
class Seen:
    """A call that came in and what was answered. ``body`` and ``answer`` are what went over the wire, the first megabyte of each.

    ``gateway`` is the cloud id of a call that came through the gateway, whose ``path`` is what stands behind it.
    ``at`` is when it came (:func:`time.monotonic`).
    """

    method: str
    path: str
    query: tuple[tuple[str, str], ...]
    headers: dict[str, str]
    body: bytes
    status: int
    answer: bytes
    answer_type: str
    fault: str = ""
    gateway: str = ""
    at: float = 0.0


@dataclass
class LocalJsm:
    """The site as a server on 127.0.0.1; starts on entering, ends on leaving. ``port`` 0 takes a free one."""

    site: LocalSite = field(default_factory=LocalSite)
    port: int = 0
    faults: Faults = field(default_factory=Faults)
    seen: collections.deque[Seen] = field(default_factory=lambda: collections.deque(maxlen=REMEMBERED))

    def __enter__(self) -> LocalJsm:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def url(self) -> str:
        """The base URL, with the context path: what ``jsm connect --url`` is given."""
        return f"http://127.0.0.1:{self.port}{self.site.context_path}"

    @property
    def gateway_url(self) -> str:
        """What stands for ``https://api.atlassian.com/ex/jira/<cloud id>``: where scoped tokens work."""
        return f"http://127.0.0.1:{self.port}{GATEWAY}{self.site.cloud_id}"

    @property
    def account(self) -> LocalAccount:
        """The first account: the service account, unless the site was given others."""
        return self.site.accounts[0]

    def start(self) -> None:
        """Listen, in a thread of its own. Raises :class:`PortTaken`."""
        try:
            self._server = make_server("127.0.0.1", self.port, self, threaded=True, request_handler=_QuietHandler)
        except (OSError, SystemExit) as error:  # werkzeug leaves by SystemExit when an address is in use
            raise PortTaken(f"the local JSM cannot listen on 127.0.0.1:{self.port}", "Another program uses this port.") from error
        self.port = self._server.server_port
        self._rest = RestApi(self.site)
        self._rest.base_url = self.url
        self._application = (
            DispatcherMiddleware(_no_such_site, {self.site.context_path: self._answer}) if self.site.context_path else self._answer
        )
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, name="local-jsm", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End at once; answers under way are cut."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def break_with(self, fault: Fault) -> None:
        """Switch a fault on."""
        self.faults.add(fault)

    def add_customer(self, email: str, display_name: str = "", **options: Any) -> LocalPerson:
        """A new account; ``options`` are those of :meth:`LocalSite.add_customer`."""
        return self.site.add_customer(email, display_name, **options)

    def add_requests(
        self, count: int, reporter: LocalPerson | str, desk: str = "HELP", organizations: Sequence[str] = ()
    ) -> list[LocalIssue]:
        """As many requests as are wanted, cheaply."""
        with self.site.lock:
            return add_requests(self.site, count, reporter, desk, organizations)

    def add_example_requests(self, person: LocalPerson, organization: str = "Acme GmbH") -> list[LocalIssue]:
        """A few requests that read like real ones; see :func:`~jsmsso.sandbox.jsm_examples.add_example_requests`."""
        with self.site.lock:
            return add_example_requests(self.site, person, organization)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        if self.site.is_cloud and environ["PATH_INFO"].startswith(GATEWAY):
            return self._behind_the_gateway(environ, start_response)
        return self._application(environ, start_response)

    def _behind_the_gateway(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        cloud_id, slash, path = environ["PATH_INFO"].removeprefix(GATEWAY).partition("/")
        if cloud_id != self.site.cloud_id or not path.startswith("rest/"):
            return answer({"code": 404, "message": "Not Found"}, 404)(environ, start_response)
        environ |= {THROUGH_GATEWAY: cloud_id, "SCRIPT_NAME": GATEWAY + cloud_id, "PATH_INFO": slash + path}
        return self._answer(environ, start_response)

    def _answer(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        at = time.monotonic()
        request = Request(environ)
        request.max_content_length = LARGEST_UPLOAD if request.mimetype == "multipart/form-data" else LARGEST_BODY
        if not request.path.startswith(API):
            return portal_page(self.site, request)(environ, start_response)
        body = request.get_data(cache=True)
        query = tuple(request.args.items(multi=True))
        time.sleep(self.site.latency_of(request.path))
        fault = self.faults.of(request.path, request.method)
        response = spoil(fault, request, self._rest) if fault else self._rest(request)
        request.close()  # files that came with it
        self.seen.append(
            Seen(
                request.method,
                request.path,
                query,
                {name.lower(): value for name, value in request.headers.items()},
                body[:REMEMBERED_BYTES],
                response.status_code,
                response.get_data()[:REMEMBERED_BYTES],
                response.mimetype or "",
                fault.kind if fault else "",
                environ.get(THROUGH_GATEWAY, ""),
                at,
            )
        )
        if fault and fault.kind in ("lost", "dropped"):
            hang_up(request)
        return response(environ, start_response)


class _QuietHandler(WSGIRequestHandler):
    """Says nothing: whoever runs the site has better things to print."""

    def log(self, type: str, message: str, *args: Any) -> None:  # noqa: A002 - werkzeug's name
        pass


def _no_such_site(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    return Response("Nothing is served outside the context path.", 404)(environ, start_response)


def main(arguments: list[str] | None = None) -> None:
    """The child process: print the address, then serve until ended by a signal."""
    parser = argparse.ArgumentParser(
        prog="python -m jsmsso.sandbox.local_jsm", description="Jira Service Management on loopback, for trying things."
    )
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    parser.add_argument("--desks", type=int, default=3)
    parser.add_argument("--data-center", action="store_true", help="answer as Data Center does")
    parser.add_argument("--context-path", default="", help="such as /jira")
    parser.add_argument("--customers", type=int, default=0, help="how many there are from the start: customer1@example.com, ...")
    parser.add_argument("--examples", action="store_true", help="requests to look at, of customer1@example.com")
    parser.add_argument("--requests", type=int, default=0, help="how many more requests customer1@example.com has")
    parser.add_argument("--latency", type=float, default=0.0, help="seconds that each answer of the REST API takes")
    options = parser.parse_args(arguments)
    deployment: Deployment = "Server" if options.data_center else "Cloud"
    site = LocalSite(deployment, default_desks(options.desks, deployment=deployment), context_path=options.context_path)
    site.latency["/rest/"] = options.latency
    customers = max(options.customers, 1 if options.examples or options.requests else 0)
    people = [site.add_customer(f"customer{number}@example.com", f"Customer {number}") for number in range(1, customers + 1)]
    with LocalJsm(site, options.port, seen=collections.deque(maxlen=0)) as jsm:  # nobody could look at what was asked
        if options.requests:
            jsm.add_requests(options.requests, people[0])
        if options.examples:
            jsm.add_example_requests(people[0])
        print(jsm.url, flush=True)
        try:
            threading.Event().wait()
        except KeyboardInterrupt:
            pass


if __name__ == "__main__":
    main()
