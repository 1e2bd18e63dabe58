"""Names, contexts and results of the user's own."""

from collections.abc import Callable
from typing import Any

from .case import Bench, case, caught


@case("rename-request")
def _rename(bench: Bench) -> None:
    with bench.client.rename_request("renamed"):
        for path in ("/hello", "/b/404", "/b/302", "/b/closes-at-once", "/a b"):
            bench.show(lambda path=path: bench.client.get(path))  # type: ignore[misc]
        bench.show(lambda: bench.client.get("/hello", name="own"))
    bench.show(lambda: bench.client.get("/hello"))
    bench.note(bench.client.request_name)


def _with(label: str, inside: Callable[[Any], Any], **options: Any) -> None:
    """A case with a with-block around each kind of answer."""

    def do(bench: Bench) -> None:
        def block(path: str) -> Any:
            with bench.client.get(path, **({"catch_response": True} | options)) as response:
                inside(response)
            return response

        for path in ("/hello", "/b/404", "/b/302", "/b/closes-at-once", "/b/broken-json"):
            bench.show(lambda path=path: block(path))  # type: ignore[misc]

    case(f"with-{label}")(do)


def _raise(error: BaseException) -> None:
    raise error


_with("nothing", lambda response: None)
_with("success", lambda response: response.success())
_with("failure", lambda response: response.failure("wrong"))
_with("failure-of-exception", lambda response: response.failure(ValueError("wrong")))
_with("failure-of-none", lambda response: response.failure(None))
_with("failure-then-success", lambda response: (response.failure("x"), response.success()))
_with("success-then-failure", lambda response: (response.success(), response.failure("x")))
_with("failure-then-raise", lambda response: (response.failure("x"), _raise(ValueError("y"))))  # type: ignore[func-returns-value]
_with("exception", lambda response: _raise(ValueError("mine")))
_with("assertion", lambda response: _raise(AssertionError("mine")))
_with("raise-for-status", lambda response: response.raise_for_status())
_with("json", lambda response: response.json())
_with("named", lambda response: response.failure(response.url), name="named")
_with("changed-meta", lambda response: response.request_meta.update(name="own", response_time=9))
_with("changed-content", lambda response: setattr(response, "_content", b"mine"))
_with("without-catch", lambda response: None, catch_response=False)
_with("looked-at-meta", lambda response: sorted(response.request_meta))
_with("success-after-meta", lambda r: (r.request_meta.update(name="own"), r.success()))
_with("context", lambda response: response.request_meta["context"].update(x=1))


@case("success-without-with")
def _success_without(bench: Bench) -> None:
    for path in ("/hello", "/b/404", "/b/closes-at-once"):
        for catch in (False, True):
            response = bench.show(
                lambda path=path, catch=catch: bench.client.get(path, catch_response=catch)  # type: ignore[misc]
            )
            bench.show(response.success)
            bench.show(lambda response=response: response.failure("x"))  # type: ignore[misc]
            bench.show(lambda response=response: response.__exit__(None, None, None))  # type: ignore[misc]


@case("locust-errors-raised")
def _locust_errors(bench: Bench) -> None:
    from locust.exception import RescheduleTask, ResponseError

    for error in (ResponseError("mine"), RescheduleTask("mine")):
        for path in ("/hello", "/b/404", "/b/closes-at-once"):

            def block(error: Exception = error, path: str = path) -> None:
                with bench.client.get(path, catch_response=True):
                    raise error

            bench.show(block)


@case("rest")
def _rest(bench: Bench) -> None:
    def block(method: str, path: str, inside: Callable[[Any], Any], **options: Any) -> Any:
        with bench.user.rest(method, path, **options) as response:
            inside(response)
        return response

    for path in ("/b/plain", "/b/404", "/b/broken-json", "/b/closes-at-once", "/b/302", "/b/204"):
        for inside in (
            lambda response: bench.note(response.js),
            lambda response: _raise(AssertionError("mine")),
            lambda response: response.failure("mine"),
            lambda response: _raise(KeyError("mine")),
            lambda response: bench.note(response.js["id"]),
        ):
            bench.show(lambda path=path, inside=inside: block("GET", path, inside))  # type: ignore[misc]
    bench.show(lambda: block("POST", "/b/plain", lambda response: None, json={"a": 1}))
    bench.show(lambda: block("GET", "/b/plain", lambda response: None, name="n", headers={}))
    bench.show(lambda: block("GET", "/b/plain", lambda response: None, headers={"X-A": "1"}))


@case("rest-without-name")
def _rest_(bench: Bench) -> None:
    def block(path: str) -> Any:
        with bench.user.rest_("GET", path) as response:
            bench.note(response.js)
        return response

    for path in ("/b/plain?a=b", "/b/plain"):
        bench.show(lambda path=path: block(path))  # type: ignore[misc]


@case("listener-that-raises")
def _listener(bench: Bench) -> None:
    from locust.exception import RescheduleTask

    errors: list[Exception] = []

    def raising(**_: Any) -> None:
        if errors:
            raise errors[0]

    bench.environment.events.request.add_listener(raising)
    for error in (ValueError("mine"), RescheduleTask("mine")):
        errors[:] = [error]
        for path in ("/hello", "/b/404", "/b/302", "/b/closes-at-once"):
            bench.show(lambda path=path: bench.client.get(path))  # type: ignore[misc]
            bench.show(lambda path=path: caught(bench.client, path))  # type: ignore[misc]


@case("listener-that-looks")
def _looking(bench: Bench) -> None:
    def look(response: Any, **kwargs: Any) -> None:
        bench.note(sorted(kwargs))
        bench.note((response.url, response.text, dict(response.headers), response.request.url))
        bench.note(response.request_meta["name"] if kwargs["name"] == "n" else None)

    bench.environment.events.request.add_listener(look)
    bench.show(lambda: bench.client.get("/hello?a=b"))
    bench.show(lambda: bench.client.get("/b/404", name="n"))
    bench.show(lambda: bench.client.post("/b/302", data={"a": "b"}, name="n"))


@case("context-of-one-user")
def _own_context(bench: Bench) -> None:
    bench.user.context = lambda: {"tenant": 1}
    bench.show(lambda: bench.client.get("/hello"))
    with bench.client.get("/hello", catch_response=True) as response:
        bench.note(response.request_meta["context"])


@case("name-on-the-request")
def _explicit_name(bench: Bench) -> None:
    for name in ("own", None):
        response = bench.client.get("/hello", name=name)
        bench.note(getattr(response.request, "_explicit_name", None))


@case("context-of-user", context=True)
def _context(bench: Bench) -> None:
    bench.show(lambda: bench.client.get("/hello"))
    bench.show(lambda: bench.client.get("/hello", context={"user": "other", "more": 1}))
    bench.show(lambda: bench.client.get("/b/closes-at-once", context={"more": 1}))
