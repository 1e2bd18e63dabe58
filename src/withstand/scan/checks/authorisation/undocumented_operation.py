"""Something answers that no document names, and shows what is inside."""

from collections.abc import Iterator
from typing import Final

from withstand.client.exchange import Exchange, Request, Response, Timing
from withstand.client.identity import Identity
from withstand.openapi.path_template import segments
from withstand.scan.answers.similarity import normalised, same_content
from withstand.scan.check import (
    PASSED,
    Check,
    Example,
    Failed,
    Inconclusive,
    Outcome,
    Passed,
    Per,
    References,
    Safety,
    Server,
    Steps,
    send,
    shown,
)
from withstand.scan.examples import answer, not_found, operation
from withstand.scan.finding import Evidence, Severity
from withstand.scan.policy import matches
from withstand.scan.probes.inner_pages import (
    BELOW_PREFIXES,
    PATHS,
    other_peoples_addresses,
    signature,
)
from withstand.scan.seen import operation_of
from withstand.scan.subject import Subject

_MOST_PREFIXES: Final = 2


def run(subject: Subject) -> Steps[Outcome]:
    caller = subject.identities[0] if subject.identities else None
    others = _addresses(subject, caller)
    usual = yield from _fingerprint(subject, caller)
    if usual is None:
        return Inconclusive(reason="a path that does not exist gets no answer that says anything")
    found: list[str] = []
    what: list[str] = []
    evidence: list[Evidence] = []
    ordinary: list[str] = []
    open_to_all = True
    answered: set[str] = set()
    for path in _in_its_style(subject):
        if _is_documented(subject, path) or _is_forbidden(subject, path):
            continue
        if path in answered:
            continue  # with a slash at its end
        exchange = yield from send(_request(subject, path, caller))
        response, shown_path = exchange.response, "/" + path.removeprefix("/")
        if response is None or not response.succeeded or _told(response) in usual:
            continue
        answered.add(path.rstrip("/"))
        holds = signature(response) or other_peoples_addresses(response, others)
        if holds is None:
            ordinary.append(shown_path)
            continue
        nobody = exchange
        if caller is not None:
            nobody = yield from send(_request(subject, path, None))
        served = nobody.response is not None and (
            signature(nobody.response) or other_peoples_addresses(nobody.response, others)
        )
        if not served and (yield from _is_personal(subject, path, exchange)):
            ordinary.append(shown_path)
            continue
        open_to_all = open_to_all and bool(served)
        found.append(shown_path)
        what.append(holds)
        evidence.append(shown(f"It shows {holds}", nobody if served else exchange))
    if not found:
        return Passed(note=_note(ordinary)) if ordinary else PASSED
    who = "anybody" if open_to_all or caller is None else f"every user of the role {caller.role}"
    return Failed(
        detail=f"The document does not name {' and '.join(found[:5])}"
        + (f" and {len(found) - 5} more" if len(found) > 5 else "")
        + f", and {who} sees there {' and '.join(dict.fromkeys(what))}.",
        evidence=tuple(evidence[:6]),
        operations=tuple(f"GET {path}" for path in found),
    )


def paths(subject: Subject) -> Iterator[str]:
    """The paths to ask for, without the slash in front: below the base, and below each prefix."""
    yield from PATHS
    prefixes: dict[str, int] = {}
    for op in subject.api.operations:
        before = [part for part in segments(op.path)[:-1] if "{" not in part]
        if before and "{" not in op.path.split("/")[1]:
            first = "/".join(before[: 2 if before[0] in {"api", "rest"} else 1])
            prefixes[first] = prefixes.get(first, 0) + 1
    shared = [p for p, count in prefixes.items() if 2 * count >= len(subject.api.operations)]
    for prefix in shared[:_MOST_PREFIXES]:
        yield from (f"{prefix}/{path}" for path in BELOW_PREFIXES)


def _in_its_style(subject: Subject) -> Iterator[str]:
    """The paths, where the document's own end in a slash first with one: what stands beside an API
    need not follow its style.
    """
    ends = [operation.path.endswith("/") for operation in subject.api.operations]
    slashed = 2 * sum(ends) > len(ends)
    for path in (*paths(subject), *_at_the_root(subject)):
        is_file = "." in path.rsplit("/", 1)[-1]
        if slashed and not is_file and not path.endswith("/"):
            yield f"{path}/"
        yield path


def _at_the_root(subject: Subject) -> Iterator[str]:
    """The paths of the host itself, with the slash, where the API stands below one."""
    if subject.target.base_path:
        yield from (f"/{path}" for path in PATHS)


def _fingerprint(subject: Subject, caller: Identity | None) -> Steps[frozenset[str] | None]:
    """What two paths that cannot exist get: servers that answer everything are no finding."""
    told = set()
    unknown = (subject.nonce(), f"{subject.nonce()}/{subject.nonce()}.json")
    at_the_root = tuple(f"/{path}" for path in unknown) if subject.target.base_path else ()
    for path in (*unknown, *at_the_root):
        exchange = yield from send(_request(subject, path, caller))
        if exchange.response is None:
            return None
        if exchange.succeeded:
            told.add(_told(exchange.response))
    return frozenset(told)


def _is_personal(subject: Subject, path: str, exchange: Exchange) -> Steps[bool]:
    """Whether somebody else sees other things there: then it is the caller's own that was shown."""
    for other in subject.identities[1:]:
        theirs = yield from send(_request(subject, path, other))
        if theirs.response is not None and exchange.response is not None:
            return not same_content(exchange.response, theirs.response)
    return True


def _addresses(subject: Subject, caller: Identity | None) -> frozenset[str]:
    """The e-mail addresses of the identities that the caller is not."""
    people = (i for i in subject.identities if caller is None or i.name != caller.name)
    return frozenset(value for i in people for value in i.fields.values() if "@" in value)


def _told(response: Response) -> str:
    return normalised(response)


def _request(subject: Subject, path: str, caller: Identity | None) -> Request:
    whole = path if path.startswith("/") else f"{subject.target.base_path}/{path}"
    request = Request(method="GET", path=whole, headers=(("Accept", "*/*"),))
    return caller.authorize(request) if caller is not None else request


def _is_documented(subject: Subject, path: str) -> bool:
    request = _request(subject, path, None)
    return any(
        operation_of(subject, _asked(candidate)) is not None
        for candidate in (request, _request(subject, path.rstrip("/"), None))
    )


def _asked(request: Request) -> Exchange:
    timing = Timing(intended_ns=0, sent_ns=0, first_byte_ns=None, end_ns=0)
    return Exchange(request=request, outcome=Response(status=0), timing=timing)


def _is_forbidden(subject: Subject, path: str) -> bool:
    key = f"GET /{path.removeprefix('/')}"
    return any(matches(pattern, key) for pattern in subject.policy.never)


def _note(ordinary: list[str]) -> str:
    return (
        f"{', '.join(ordinary[:6])} {'answers' if len(ordinary) == 1 else 'answer'} although the "
        "document does not say so, but nothing in it gives away what is inside"
    )


def _server(open_debug: bool) -> Server:
    settings = {"DEBUG": "no", "DATABASE_URL": "postgres://shop:open-sesame@10.0.0.5/shop"}

    def server(request: Request) -> Response:
        if request.path == "/status":
            return answer(200, {"status": "fine"})
        if request.path == "/internal/config":
            return answer(200, settings if open_debug else {"DEBUG": "no", "DATABASE_URL": "***"})
        return answer(200, {"hello": "world"}) if request.path == "/hello" else not_found()

    return server


def vulnerable() -> Server:
    return _server(open_debug=True)


def safe() -> Server:
    return _server(open_debug=False)


CHECK = Check(
    name="undocumented-operation",
    title="A path that no document names shows what is inside",
    family="authorisation",
    severity=Severity.HIGH,
    per=Per.API,
    safety=Safety.READ_ONLY,
    references=References(
        cwe=(489, 1059), owasp=("API9:2023",), asvs=("13.4.2", "13.4.5"), wstg=("WSTG-CONF-05",)
    ),
    explanation=(
        "Debugging pages, management endpoints, files of the repository or a backup are served "
        "beside the API, though its document does not name them. The check asks for some sixty "
        "such paths, also below the prefixes of the document. A page counts only when its content "
        "gives it away, such as settings with secrets, users with hashes, memory or a console: "
        "what merely answers, and servers that answer anything, are no finding."
    ),
    remedy=(
        "Do not deploy debugging and management pages, or serve them on another port that only "
        "operators reach. Serve a list of files that are meant to be public, not a folder. Let "
        "the router's list of routes be compared with the document in CI."
    ),
    run=run,
    needs_baseline=False,
    example=Example(
        paths={"/hello": {"get": operation(secured=False)}}, vulnerable=vulnerable, safe=safe
    ),
)
