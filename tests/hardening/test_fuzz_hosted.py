"""Requests made up by hypothesis for the portals that we serve ourselves: never a fault, and nothing of another customer.

``JSMSSO_FUZZ_EXAMPLES`` sets how many visits are made up in place of 25.
"""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from html import unescape
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import initialize, rule, run_state_machine_as_test

from jsmsso.sandbox.jsm_site import LocalSite
from jsmsso.sandbox.local_jsm import LocalJsm
from tests.hardening.test_fuzz import BENDS, FORM, HEADERS, LETTERS, PAGE_LOAD, PAIRS, PLACES, STEPS, Visiting, bent
from tests.oidc.provider import running
from tests.portal.hosted_site import SERVICE_ACCOUNT, HostedSite
from tests.runtime.site import Answer

EXAMPLES = int(os.environ.get("JSMSSO_FUZZ_EXAMPLES", "25"))
SECRET = "what only Ben may read"

BELOW = ["", "/updates", "/comment", "/attachment", "/transition", "/share", "/attachment/1", "/thumbnail/1"]
# ANNS, BENS and TYPE stand for the keys and the request type of the site.
PATHS = st.sampled_from(
    ["/portal/HELP", "/portal/HR", "/portal/1", "/portal/HELP/search", "/requests", "/portal/HELP/icon/TYPE", "/portal/HELP/article/1"]
    + ["/portal/HELP/create/TYPE"] * 6
    + ["/portal/HELP/ANNS"] * 6
    + [f"/portal/{place}{rest}" for place in ("HELP/ANNS", "HELP/BENS", "HR/ANNS", "HR/BENS") for rest in BELOW]
    + [f"/portal/HELP/{key}" for key in ("HELP-999", "help-1", "HELP-01", "HELP-1 ", "HELP-1\x00", "X-1", "HELP-" + "9" * 18)]
    + ["/servicedesk/customer/portal/1/group/1/create/TYPE", "/servicedesk/customer/user/requests", "/servicedesk/customer/portal/1/BENS"]
)  # fmt: skip
FIELDS = st.sampled_from(
    ["token", "once", "body", "comment", "text", "f-summary", "f-description", "q", "page", "status", "sort", "email", "transition",
     "share", "order", "reporter", "draft", "remove", "file"]
)  # fmt: skip
MULTIPART = "multipart/form-data; boundary=x"


class HostedVisits(Visiting):
    """Ann's browser; Ben's request lies beside hers."""

    base = ""
    hosted: HostedSite
    real: Mapping[str, str]

    @initialize()
    def begin(self) -> None:
        super().begin()
        self.allowed.add(self.hosted.jsm.url)
        self.site.clock.advance(3600)  # what a customer may do in an hour
        self.provider.claims |= {"iat": int(self.site.clock()), "exp": int(self.site.clock()) + 300}
        self.browser = self.hosted.signed_in(self.hosted.ann)
        self.signed_in = dict(self.browser.cookies)

    @rule(
        method=st.sampled_from(["GET", "GET", "GET", "POST", "POST", "HEAD", "PUT"]),
        path=st.one_of(PATHS, st.tuples(PATHS, LETTERS).map("".join)),
        query=st.one_of(st.just(""), LETTERS, PAIRS, st.tuples(FIELDS, LETTERS).map("=".join)),
        usual=st.sampled_from([PAGE_LOAD, PAGE_LOAD, FORM, {**FORM, "CONTENT_TYPE": MULTIPART}]),
        headers=HEADERS,
        body=st.one_of(st.binary(max_size=80), PAIRS.map(str.encode), st.tuples(FIELDS, LETTERS).map(lambda pair: part(*pair))),
    )
    def look_around(self, method: str, path: str, query: str, usual: dict[str, str], headers: dict[str, str], body: bytes) -> None:
        self._keep(self._ask(method, self._real(path), query, {**usual, **headers}, body))

    @rule(where=PATHS, which=PLACES, field=FIELDS, value=LETTERS, bend=st.one_of(st.none(), BENDS), several=st.booleans())
    def fill_in(self, where: str, which: int, field: str, value: str, bend: tuple[int, int, str] | None, several: bool) -> None:
        """A real form of a real page, with a field more or one that is bent, whole or as a form with files."""
        page = self.browser.get(self._real(where))
        if not page.body.startswith(b"<!doctype"):
            return
        forms = re.findall(r'<form[^>]*method="post"[^>]*action="([^"]*)"[^>]*>(.*?)</form>', page.text, re.DOTALL)
        forms = [form for form in forms if "/logout" not in form[0]]
        if not forms:
            return
        address, inner = forms[which % len(forms)]
        names = re.findall(r'<(?:input|textarea|select)[^>]* name="([^"]*)"(?:[^>]* value="([^"]*)")?', inner)
        fields = {unescape(name): unescape(given) or "some text" for name, given in names}
        chosen = sorted(fields)[which % len(fields)] if fields and bend is not None else field
        fields[chosen] = bent(fields[chosen], bend) if chosen in fields else value
        if several:
            body = b"".join(part(name, one)[:-5] for name, one in fields.items()) + b"--x--"
            headers = {**PAGE_LOAD, **FORM, "CONTENT_TYPE": MULTIPART}
        else:
            body = "&".join(f"{name}={one}" for name, one in fields.items()).encode("utf-8", "surrogatepass")
            headers = {**PAGE_LOAD, **FORM}
        self._keep(self._ask("POST", unescape(address).partition("?")[0], "", headers, body))

    def _ask(self, method: str, path: str, query: str, headers: dict[str, str], body: bytes) -> Answer:
        answer = super()._ask(method, path, query, headers, body)
        assert SECRET.encode() not in answer.body
        assert not any(SECRET in value for _, value in answer.headers)
        return answer

    def _real(self, path: str) -> str:
        for name, real in self.real.items():
            path = path.replace(name, real)
        return path

    def _keep(self, answer: Answer) -> None:
        self.browser._keep(answer)
        self.browser.cookies |= self.signed_in


def part(name: str, value: str) -> bytes:
    """A form of one field, as with files."""
    kind = '"; filename="a.txt' if name in ("file", "f-attachment") else ""
    return f'--x\r\nContent-Disposition: form-data; name="{name}{kind}"\r\n\r\n{value}\r\n'.encode("utf-8", "surrogatepass") + b"--x--"


@contextmanager
def visited() -> Iterator[type[HostedVisits]]:
    """The state machine on a site of its own, which all visits share."""
    folder = Path(tempfile.mkdtemp(prefix="jsmsso-fuzz-"))
    with running() as provider, LocalJsm(LocalSite(accounts=(SERVICE_ACCOUNT,))) as jsm:
        hosted = HostedSite(folder, provider, jsm, changed={"limits": {"requests_per_hour": 100_000, "comments_per_hour": 100_000}})
        desk = jsm.site.desk("HELP")
        assert desk is not None
        real = {
            "ANNS": hosted.request(hosted.ann, "Ann's monitor flickers").key,
            "BENS": hosted.request(hosted.ben, SECRET, description=SECRET).key,
            "TYPE": desk.types[0].id,
        }
        try:
            yield type(
                "TheseVisits", (HostedVisits,), {"site": hosted.site, "provider": provider, "hosted": hosted, "real": real, "sent": 0}
            )
            hosted.site.close()
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def test_no_request_to_a_hosted_portal_is_a_fault_or_shows_what_is_anothers() -> None:
    with visited() as machine:
        run_state_machine_as_test(
            machine,
            settings=settings(
                max_examples=EXAMPLES, stateful_step_count=STEPS, suppress_health_check=list(HealthCheck), deadline=None, database=None
            ),
        )
        print(f"{machine.sent} requests")
