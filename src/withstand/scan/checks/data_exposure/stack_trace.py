"""Errors are answered with stack traces, or with the page of a debugger."""

from withstand.client.exchange import Exchange, Request, Response
from withstand.scan.check import (
    PASSED,
    Check,
    Example,
    Failed,
    Outcome,
    Per,
    References,
    Safety,
    Server,
    Skipped,
    Steps,
    shown,
)
from withstand.scan.examples import UNAUTHENTICATED, answer, caller, last_segment, operation
from withstand.scan.finding import Confidence, Severity
from withstand.scan.probes.traces import trace_in
from withstand.scan.seen import (
    admits_failure,
    answers,
    keys_of,
    one_of_each,
    sent_before,
    where,
)
from withstand.scan.subject import Subject


def applies(subject: Subject) -> Skipped | None:
    return None if subject.observed or subject.baselines else Skipped(reason="nothing was answered")


def run(subject: Subject) -> Steps[Outcome]:
    yield from ()
    surely: list[tuple[Exchange, str]] = []
    perhaps: list[tuple[Exchange, str]] = []
    whats: list[str] = []
    for exchange in answers(subject):
        response = exchange.response
        assert response is not None, "answers() gives exchanges with a response"
        trace = trace_in(response)
        if trace is None or sent_before(subject, trace[1]):
            continue
        what, text = trace
        # Whoever collects the errors of others answers with their traces: those are its data.
        failed = admits_failure(response) or what.startswith("a page of")
        (surely if failed else perhaps).append((exchange, text))
        whats.append(what)
    found = surely or perhaps
    if not found:
        return PASSED
    exchanges = [exchange for exchange, _ in found]
    said = ", ".join(dict.fromkeys(whats))
    return Failed(
        detail=f"{said[0].upper()}{said[1:]} is in the responses of {where(subject, exchanges)}.",
        evidence=tuple(
            shown("The response shows the code behind it", exchange, text)
            for exchange, text in one_of_each(subject, found)
        ),
        operations=keys_of(subject, exchanges),
        confidence=Confidence.FIRM if surely else Confidence.TENTATIVE,
    )


_TRACE = """Traceback (most recent call last):
  File "/srv/shop/views.py", line 71, in get_item
    return items[number]
  File "/srv/shop/items.py", line 12, in __getitem__
    raise KeyError(number)
KeyError: 7
"""


def _server(failure: dict[str, str]) -> Server:
    def server(request: Request) -> Response:
        if caller(request) is None:
            return UNAUTHENTICATED
        if last_segment(request) != "1":
            return answer(404, failure)
        return answer(200, {"id": 1, "name": "Teapot"})

    return server


def vulnerable() -> Server:
    return _server({"error": "not found", "debug": _TRACE})


def safe() -> Server:
    # A message for people may name the file that they sent, and the line in it.
    return _server({"error": 'not found: File "items.csv", line 7', "incident": "5f0c2a1e"})


CHECK = Check(
    name="stack-trace-in-response",
    title="Errors are answered with stack traces",
    family="data exposure",
    severity=Severity.MEDIUM,
    per=Per.API,
    safety=Safety.READ_ONLY,
    looks_back=True,
    references=References(
        cwe=(209, 489), owasp=("API8:2023",), asvs=("16.5.1", "13.4.2"), wstg=("WSTG-ERRH-02",)
    ),
    explanation=(
        "A response shows where in the code something went wrong: two frames or more of a stack "
        "trace, or the page of a framework's debugger. That names files, functions, libraries and "
        "often values, which tells an attacker what to try next; some debuggers run code for "
        "whoever sees them. The check looks at every response that the rest of the scan received, "
        "also at those to malformed requests. Traces in answers that report no error are shown "
        "for review only, since they may be the API's data."
    ),
    remedy=(
        "Turn the framework's debug mode off where others can reach the API. Answer an unhandled "
        "error with a fixed text and an incident number, and write the trace to the log under "
        "that number."
    ),
    run=run,
    applies=applies,
    provoked_by=("malformed-body-crash", "nul-byte-crash", "sql-injection", "unusual-value-crash"),
    example=Example(
        paths={
            "/items/{id}": {
                "get": operation(parameters=(("path", "id"),), example="1"),
            }
        },
        vulnerable=vulnerable,
        safe=safe,
    ),
)
