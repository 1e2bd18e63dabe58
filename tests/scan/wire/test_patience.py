"""How long a busy target is waited for, and how fast it is asked afterwards."""

import asyncio
import itertools

import pytest

from tests.scan.small_api import Notes, a_check, answer, planned, scanned
from withstand.client.exchange import Exchange, Failure, FailureKind, Request, Response
from withstand.client.scripted import START_UNIX_S, Scripted
from withstand.scan.check import PASSED, Failed, Outcome, Per, Steps, send
from withstand.scan.records.record import CoverageState
from withstand.scan.scanner import scan
from withstand.scan.subject import Subject
from withstand.scan.wire.courier import Budget, Courier, NoiseStays, Stopped
from withstand.scan.wire.patience import Pace, wait_asked_s

GET_ME = Request(method="GET", path="/me")


def busy(status: int = 429, **headers: str) -> Response:
    return Response(
        status=status,
        headers=tuple((name.replace("_", "-"), value) for name, value in headers.items()),
    )


@pytest.mark.parametrize(
    ("response", "seconds"),
    [
        (busy(retry_after="7"), 7.0),
        (busy(503, retry_after="7"), 7.0),
        (busy(retry_after="Thu, 01 Jan 1970 00:16:47 GMT"), 7.0),
        (busy(retry_after="soon"), None),
        (busy(x_ratelimit_reset="7"), 7.0),
        (busy(x_ratelimit_reset="1750000007"), 1_749_999_007.0),
        (busy(ratelimit='"default";r=0;t=7'), 7.0),
        (busy(503, x_ratelimit_reset="7"), None),
        (busy(retry_after="-7"), None),
        (busy(), None),
    ],
)
def test_a_busy_target_says_how_long_it_wants_to_be_left_alone(
    response: Response, seconds: float | None
) -> None:
    assert wait_asked_s(response, now_s=1000.0) == seconds


def test_the_pace_after_a_refusal_is_what_the_limit_allows() -> None:
    pace = Pace()
    for number in range(10):
        pace.served(number / 100)
    pace.refused()
    pace.served(1.0)

    assert pace.gap_s == pytest.approx(0.1)  # ten in a second


def test_the_pace_is_tried_a_little_higher_after_many_requests_without_a_refusal() -> None:
    pace = Pace(gap_s=0.1)
    for number in range(100):
        pace.served(number / 10)

    assert pace.gap_s == pytest.approx(0.025)


class Limited:
    """The small API behind a limit of so many requests in so many seconds, for all requests."""

    def __init__(self, most: int, window_s: float, *, says_when: bool) -> None:
        self.transport = Scripted(self)
        self._api, self._most, self._window_s, self._says = Notes(), most, window_s, says_when
        self._began_s, self._seen = START_UNIX_S, 0
        self.refused = 0

    def __call__(self, request: Request) -> Response:
        now_s = self.transport.unix_time_s()
        if now_s - self._began_s >= self._window_s:
            self._began_s, self._seen = now_s, 0
        self._seen += 1
        if self._seen <= self._most:
            return self._api(request)
        self.refused += 1
        left_s = self._began_s + self._window_s - now_s
        return busy(retry_after=str(int(left_s) + 1)) if self._says else busy()


def asks_often(_subject: Subject) -> Steps[Outcome]:
    for _ in range(100):
        exchange = yield from send(Request(method="GET", path="/me"))
        if exchange.status != 401:
            return Failed(detail="noise", evidence=())
    return PASSED


@pytest.mark.parametrize(
    ("most", "window_s", "says_when"), [(20, 1.0, True), (40, 60.0, True), (15, 5.0, False)]
)
def test_a_scan_under_a_rate_limit_slows_down_and_is_not_cut_short(
    most: int, window_s: float, says_when: bool
) -> None:
    api = Limited(most, window_s, says_when=says_when)
    plan = planned(a_check(asks_often, per=Per.API))

    record = asyncio.run(scan(plan, api.transport))

    assert [row.state for row in record.coverage] == [CoverageState.PASSED]
    assert record.void is None
    assert api.refused < 12
    assert any("slowed the scan" in note for note in record.notes)


def test_a_limit_on_one_thing_does_not_hold_up_the_rest() -> None:
    def server(request: Request) -> Response:
        return busy(retry_after="60") if request.path == "/login" else Notes()(request)

    def logs_in(_subject: Subject) -> Steps[Outcome]:
        yield from send(Request(method="POST", path="/login"))
        return PASSED

    record, _ = scanned(a_check(logs_in, per=Per.API), server=server)

    (row,) = record.coverage
    assert row.state is CoverageState.INCONCLUSIVE
    assert "429" in row.reason
    assert record.duration_s < 1


def test_no_more_than_a_share_of_the_time_is_spent_on_waiting() -> None:
    def server(request: Request) -> Response:
        return busy(retry_after="10") if request.path != "/" else answer(200, {})

    courier = Courier(Scripted(server), Budget(duration_s=90.0))

    async def ask() -> int:
        for number in itertools.count():
            try:
                await courier.send(GET_ME)
            except NoiseStays:
                if courier.waiting.waited_s > 20:
                    return number
        raise AssertionError

    asyncio.run(ask())
    assert courier.elapsed_s <= 30.0


class Hanging:
    """A transport on which requests to some paths are never answered, for half a minute each."""

    def __init__(self, *paths: str) -> None:
        self._scripted, self._paths = Scripted(Notes()), paths
        self.hung = 0

    def __getattr__(self, name: str) -> object:
        return getattr(self._scripted, name)

    async def send(self, request: Request, **more: object) -> Exchange:
        exchange = await self._scripted.send(request)
        if request.operation_path not in self._paths:
            return exchange
        self.hung += 1
        await self._scripted.pause(30.0)
        failure = Failure(kind=FailureKind.TIMED_OUT, detail="no complete response within 30 s")
        return Exchange(request=request, outcome=failure, timing=exchange.timing)


def test_an_operation_that_hangs_is_given_up_after_a_few_requests() -> None:
    courier = Courier(transport := Hanging("/me"), Budget())  # type: ignore[arg-type] # by getattr
    courier.place = "GET /me"

    async def ask() -> None:
        for _ in range(20):
            with pytest.raises(NoiseStays, match="timed-out"):
                await courier.send(GET_ME)
        courier.place = "GET /notes"
        assert (await courier.send(Request(method="GET", path="/notes"))).status == 401

    asyncio.run(ask())
    assert transport.hung == 3


def test_what_is_remembered_of_answers_is_bounded() -> None:
    courier = Courier(
        Scripted(lambda _request: Response(status=200, body=b"x" * 2_000_000)), Budget()
    )

    async def ask() -> None:
        for _ in range(80):
            await courier.send(GET_ME)

    asyncio.run(ask())
    assert courier.requests == 80
    assert sum(len(e.response.body) for e in courier.logbook.observed if e.response) <= 100_000_000


def test_a_long_wait_is_announced_and_ends_when_somebody_asks_for_it() -> None:
    transport = Scripted(lambda _request: busy(retry_after="30"))
    announced: list[float] = []
    courier = Courier(transport, Budget(), stop=lambda: transport.unix_time_s() > START_UNIX_S + 4)
    courier.waiting.announce = announced.append
    with pytest.raises(Stopped):
        asyncio.run(courier.send(GET_ME))
    assert announced == [30.0]
    assert transport.unix_time_s() < START_UNIX_S + 6
