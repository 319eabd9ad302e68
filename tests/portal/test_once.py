"""What a form's key remembers: results, attempts that nobody knows the end of, and nothing of what failed."""

from __future__ import annotations

import threading

import pytest

from jsmsso.errors import JsmRefused, JsmUnreachable, StoreUnavailable
from jsmsso.portal.once import Earlier, Once
from tests.portal.conftest import MakeHosted
from tests.portal.desks import acting, services_of
from tests.portal.hosted_site import HostedSite


def unreachable(earlier: Earlier | None) -> str:
    raise JsmUnreachable("JSM gave no answer")


def refused(earlier: Earlier | None) -> str:
    raise JsmRefused(400, "", "JSM refused it")


def since(earlier: Earlier | None) -> str:
    return str(earlier.since) if earlier else "never"


def test_what_came_of_a_key_is_told_for_an_hour(hosted: HostedSite) -> None:
    _, at = acting(hosted, hosted.ann)
    once = services_of(hosted.site.application).once
    assert once.run(at, "key", "content", lambda earlier: "first") == "first"
    assert once.run(at, "key", "content", lambda earlier: "second") == "first"
    hosted.site.clock.advance(3601)
    assert once.run(at, "key", "content", lambda earlier: "third") == "third"


def test_another_key_content_or_customer_is_another_form(hosted: HostedSite) -> None:
    once = services_of(hosted.site.application).once
    _, ann = acting(hosted, hosted.ann)
    _, ben = acting(hosted, hosted.ben)
    results = [
        once.run(who, key, content, lambda earlier, number=number: str(number))  # type: ignore[misc]
        for number, (who, key, content) in enumerate([(ann, "a", "x"), (ann, "b", "x"), (ann, "a", "y"), (ben, "a", "y"), (ann, "a", "y")])
    ]
    assert results == ["0", "1", "2", "3", "2"]


def test_after_an_answer_that_got_lost_the_next_attempt_is_told_since_when(hosted: HostedSite) -> None:
    _, at = acting(hosted, hosted.ann)
    once = services_of(hosted.site.application).once
    began = hosted.site.clock()
    for _ in range(2):
        with pytest.raises(JsmUnreachable):
            once.run(at, "key", "content", unreachable)
        hosted.site.clock.advance(60)
    with pytest.raises(JsmRefused):
        once.run(at, "key", "changed", refused)
    assert once.run(at, "key", "changed", since) == str(began)


def test_after_a_refusal_nothing_is_remembered(hosted: HostedSite) -> None:
    _, at = acting(hosted, hosted.ann)
    once = services_of(hosted.site.application).once
    with pytest.raises(JsmRefused):
        once.run(at, "key", "content", refused)
    assert once.run(at, "key", "content", since) == "never"


def test_two_at_once_on_two_workers_do_it_once(hosted: HostedSite) -> None:
    _, at = acting(hosted, hosted.ann)
    workers = [services_of(hosted.site.application).once, services_of(hosted.site.another_worker()).once]
    begun, go_on, done, results = threading.Event(), threading.Event(), [], []

    def act(earlier: Earlier | None) -> str:
        begun.set()
        go_on.wait(10)
        done.append(earlier)
        return "one"

    def click(once: Once) -> None:
        results.append(once.run(at, "key", "content", act))

    first = threading.Thread(target=click, args=(workers[0],))
    first.start()
    begun.wait(10)
    second = threading.Thread(target=click, args=(workers[1],))
    second.start()
    go_on.set()
    first.join()
    second.join()
    assert (results, done) == (["one", "one"], [None])


@pytest.mark.parametrize("key", ["", "x" * 65, "\u00e9"])
def test_a_key_that_is_not_ours_remembers_nothing(hosted: HostedSite, key: str) -> None:
    _, at = acting(hosted, hosted.ann)
    once = services_of(hosted.site.application).once
    assert [once.run(at, key, "content", lambda earlier: "one"), once.run(at, key, "content", lambda earlier: "two")] == ["one", "two"]


@pytest.mark.parametrize("failure", ["open", "closed"])
def test_without_the_store_it_is_done_as_the_profile_says(make_hosted: MakeHosted, failure: str) -> None:
    hosted = make_hosted(store_failure=failure)
    _, at = acting(hosted, hosted.ann)
    services = services_of(hosted.site.application)

    def away(*_: object, **__: object) -> bool:
        raise StoreUnavailable("the store is away")

    services.once._store = type("Away", (), {"lease": away, "get": away, "put": away, "free": away})()
    if failure == "open":
        assert services.once.run(at, "key", "content", lambda earlier: "done") == "done"
    else:
        with pytest.raises(StoreUnavailable):
            services.once.run(at, "key", "content", lambda earlier: "done")
