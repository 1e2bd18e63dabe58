"""A text that keeps a server with one thread busy spoils neither the run nor the other checks."""

import re

from tests.scan.checks.tiny_api import scanned
from withstand.client.exchange import Exchange, Failure, FailureKind, Request, Response, Timing
from withstand.client.scripted import START_UNIX_S, Late, Scripted
from withstand.client.target import Target
from withstand.scan.catalogue import all_checks
from withstand.scan.check import Server
from withstand.scan.examples import UNAUTHENTICATED, answer, caller, late, operation, query
from withstand.scan.records.record import CoverageState, ScanRecord

PATTERN = "regular-expression-blow-up"
TIMEOUT_S = 30.0
TEA = "first-flush-of-darjeeling-from-last-year"
SEARCH = "GET /search"
PATHS = {
    "/me": {"get": operation()},
    "/search": {"get": operation(parameters=(("query", "q"),), example=TEA)},
    "/teas": {"get": operation(parameters=(("query", "name"),), example="green")},
}
ALL_BUT_THE_PATTERN = tuple(check for check in all_checks() if check.name != PATTERN)


class OneThread(Scripted):
    """A target that does one thing after the other, and ends each, whoever still waits for it."""

    def __init__(self, server: Server) -> None:
        super().__init__(server)
        self._answers = server
        self._free_s = START_UNIX_S
        self.hung: list[Request] = []

    async def send(
        self, request: Request, *, fresh: bool = False, to: Target | None = None
    ) -> Exchange:
        del fresh, to
        response = self._answers(request)
        began_s = self.unix_time_s()
        takes_s = response.after_s if isinstance(response, Late) else 0.001
        self._free_s = max(self._free_s, began_s) + takes_s
        took_s = min(self._free_s - began_s, TIMEOUT_S)
        outcome: Response | Failure = response
        if took_s == TIMEOUT_S:
            outcome = Failure(kind=FailureKind.TIMED_OUT, detail="no complete response")
            self.hung.append(request)
        await self.pause(took_s)
        end_ns = round(took_s * 1e9)
        timing = Timing(intended_ns=0, sent_ns=0, first_byte_ns=end_ns, end_ns=end_ns)
        exchange = Exchange(request=request, outcome=outcome, timing=timing)
        self.exchanges.append(exchange)
        return exchange


def teas(most_s: float) -> Server:
    """Searches with `^([a-z0-9]+-?)+$`, which takes `most_s` at most."""

    def server(request: Request) -> Response:
        user = caller(request)
        if user is None:
            return UNAUTHENTICATED
        if request.operation_path == "/me":
            return answer(200, {"name": user})
        found = answer(200, [{"name": "green"}])
        text = query(request, "q")
        fits = re.match(r"[a-z0-9-]*", text)
        if fits is None or fits.group() == text or request.operation_path == "/teas":
            return found
        return late(found, min(2.0 ** fits.end() * 20e-9, most_s))

    return server


def odd_text_states(record: ScanRecord) -> dict[CoverageState, set[str]]:
    found: dict[CoverageState, set[str]] = {}
    for row in record.coverage:
        if row.operation == SEARCH:
            found.setdefault(row.state, set()).add(row.check)
    return found


def test_a_hang_is_waited_out_and_its_input_spared_by_all_other_checks() -> None:
    transport = OneThread(teas(most_s=80.0))
    record, _ = scanned(teas(80.0), PATHS, checks=ALL_BUT_THE_PATTERN, transport=transport)

    assert record.void is None
    assert record.findings == ()
    odd = [request for request in transport.hung if query(request, "q") != TEA]
    assert len({query(request, "q") for request in odd}) == 1
    reasons = {
        row.reason for row in record.coverage if row.operation == SEARCH and "query q" in row.reason
    }
    assert reasons == {
        "query q: an odd text there keeps the server busy, so it was left alone",
    }
    assert "sql-injection" in odd_text_states(record)[CoverageState.INCONCLUSIVE]
    assert all(
        row.state is CoverageState.PASSED
        for row in record.coverage
        if row.operation == "GET /teas" and row.check == "sql-injection"
    )


def test_the_check_for_it_comes_first_and_spares_the_others_the_hang() -> None:
    transport = OneThread(teas(most_s=3600.0))
    record, _ = scanned(teas(3600.0), PATHS, transport=transport)

    assert record.void is None
    assert [(each.check, each.parameter) for each in record.findings] == [(PATTERN, "query q")]
    assert transport.hung == []
    assert "sql-injection" in odd_text_states(record)[CoverageState.INCONCLUSIVE]


def test_an_input_that_is_very_slow_twice_is_left_alone_whichever_check_met_it() -> None:
    transport = OneThread(teas(most_s=20.0))
    record, sent = scanned(teas(20.0), PATHS, checks=ALL_BUT_THE_PATTERN, transport=transport)

    assert record.void is None
    slow = [each for each in sent if each.timing.service_time_ns >= 20e9]
    assert len(slow) == 2
    assert "sql-injection" in odd_text_states(record)[CoverageState.INCONCLUSIVE]


def test_a_hang_without_an_end_makes_a_void_run_that_names_the_request() -> None:
    transport = OneThread(teas(most_s=1e9))
    record, _ = scanned(teas(1e9), PATHS, checks=ALL_BUT_THE_PATTERN, transport=transport)

    assert record.void is not None
    assert "has answered nothing since GET /search hung" in record.void
    assert record.duration_s < 600
