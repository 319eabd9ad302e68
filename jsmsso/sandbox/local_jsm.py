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
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from werkzeug.middleware.dispatcher import DispatcherMiddleware
from werkzeug.serving import WSGIRequestHandler, make_server
from werkzeug.wrappers import Request, Response

from jsmsso.errors import PortTaken
from jsmsso.sandbox.jsm_faults import Fault, Faults, spoil
from jsmsso.sandbox.jsm_pages import portal_page
from jsmsso.sandbox.jsm_rest import RestApi
from jsmsso.sandbox.jsm_site import Deployment, LocalAccount, LocalSite, default_desks

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

LARGEST_BODY = 1_000_000  # bytes of a request; far more than any call of ours
REMEMBERED = 20_000  # requests, for whoever looks at what was asked


@dataclass(frozen=True, slots=True)
class Seen:
    """A call that came in and what was answered. ``body`` and ``answer`` are what went over the wire."""

    method: str
    path: str
    query: tuple[tuple[str, str], ...]
    headers: dict[str, str]
    body: bytes
    status: int
    answer: bytes
    answer_type: str
    fault: str = ""


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

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        return self._application(environ, start_response)

    def _answer(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        request = Request(environ)
        request.max_content_length = LARGEST_BODY
        if not request.path.startswith("/rest/"):
            return portal_page(self.site, request)(environ, start_response)
        body = request.get_data(cache=True)
        query = tuple(request.args.items(multi=True))
        fault = self.faults.of(request.path)
        response = spoil(fault, request, self._rest) if fault else self._rest(request)
        self.seen.append(
            Seen(
                request.method,
                request.path,
                query,
                {name.lower(): value for name, value in request.headers.items()},
                body,
                response.status_code,
                response.get_data(),
                response.mimetype or "",
                fault.kind if fault else "",
            )
        )
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
    options = parser.parse_args(arguments)
    deployment: Deployment = "Server" if options.data_center else "Cloud"
    site = LocalSite(deployment, default_desks(options.desks, deployment=deployment), context_path=options.context_path)
    with LocalJsm(site, options.port) as jsm:
        print(jsm.url, flush=True)
        try:
            threading.Event().wait()
        except KeyboardInterrupt:
            pass


if __name__ == "__main__":
    main()
