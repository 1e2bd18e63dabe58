"""What the hot path counts equals what plain arithmetic on the same requests says."""

from collections import Counter
from dataclasses import dataclass

from hypothesis import given
from hypothesis import strategies as st

from withstand.load.recorder import (
    MAX_WINDOWS,
    OperationRecorder,
    window_width_s,
)
from withstand.load.tally import Tally, quantiles_of
from withstand.stats.histogram import Histogram

S = 1_000_000_000
ORIGIN = 5 * S + 123


@dataclass(frozen=True)
class Ended:
    """One request in nanoseconds after the origin; `status` None is a failure."""

    intended: int
    lag: int
    first: int
    rest: int
    status: int | None

    @property
    def response(self) -> int:
        return self.lag + self.first + self.rest

    @property
    def is_error(self) -> bool:
        return self.status is None or not 200 <= self.status < 400


spans = st.integers(0, 3 * S)
ended = st.lists(
    st.builds(
        Ended,
        intended=st.integers(0, 5 * S),
        lag=st.just(0) | spans,
        first=spans,
        rest=st.just(0) | spans,
        status=st.sampled_from([200, 201, 304, 404, 500, None]),
    ),
    max_size=40,
)


def recorded(requests: list[Ended], width_s: int = 1) -> OperationRecorder:
    recorder = OperationRecorder("GET /", origin_ns=ORIGIN, width_s=width_s)
    for each in requests:
        record(recorder, each)
    return recorder


def record(recorder: OperationRecorder, each: Ended) -> None:
    intended = ORIGIN + each.intended
    sent = intended + each.lag
    end = sent + each.first + each.rest
    if each.status is None:
        recorder.failure(intended, end, "reset")
    else:
        recorder.response(intended, sent, sent + each.first, end, each.status)


@given(ended)
def test_the_measurement_is_that_of_plain_arithmetic(requests: list[Ended]) -> None:
    recorder = recorded(requests)
    measured = recorder.measurement()
    answered = [each for each in requests if each.status is not None]
    errors = [each for each in requests if each.is_error]
    assert measured.response_time == Histogram(each.response for each in requests)
    assert measured.service_time == Histogram(each.first + each.rest for each in answered)
    assert measured.first_byte == Histogram(each.first for each in answered)
    assert measured.error_time == Histogram(each.response for each in errors)
    assert measured.statuses == Counter(each.status for each in answered)
    assert measured.requests == recorder.completed == len(requests)
    assert measured.errors == recorder.errors == len(errors)
    assert measured.unexpected == len(errors) - (len(requests) - len(answered))


@given(ended, st.integers(1, 3))
def test_windows_hold_what_was_meant_to_start_in_them(requests: list[Ended], width_s: int) -> None:
    windows = recorded(requests, width_s).measurement().windows
    assert [window.second for window in windows] == sorted({window.second for window in windows})
    assert sum(window.response_time.count for window in windows) == len(requests)
    for window in windows:
        inside = [e for e in requests if e.intended // S // width_s * width_s == window.second]
        assert window.width_s == width_s
        assert window.response_time == Histogram(each.response for each in inside)
        answered = [each for each in inside if each.status is not None]
        assert window.errors == sum(each.is_error for each in inside) == window.error_time.count
        assert window.service_time == Histogram(each.first + each.rest for each in answered)
        assert window.first_byte == Histogram(each.first for each in answered)
        assert window.statuses == Counter(each.status for each in answered)


def test_recent_is_this_window_and_the_one_before() -> None:
    recorder = recorded([Ended(at * S, 0, 10 + at, 0, 200) for at in range(5)])
    assert quantiles_of(recorder.recent(ORIGIN + 4 * S + 1), 0, 0.5, 1) == (13, 13, 14)
    assert quantiles_of(recorder.recent(ORIGIN + 9 * S), 0.5, 0.9) == (None, None)


@given(ended, st.lists(st.integers(0, 9), max_size=6))
def test_putting_windows_away_loses_and_changes_nothing(
    requests: list[Ended], settle_at: list[int]
) -> None:
    plain = recorded(requests)
    recorder = OperationRecorder("GET /", origin_ns=ORIGIN)
    for index, each in enumerate(requests):
        record(recorder, each)
        if index in settle_at:
            while recorder.settle(ORIGIN + index * S):
                pass
    assert recorder.completed == plain.completed
    assert recorder.errors == plain.errors
    assert recorder.measurement() == plain.measurement()


def test_a_window_is_put_away_only_after_its_end() -> None:
    recorder = recorded([Ended(0, 0, 10, 0, 200), Ended(S, 0, 10, 0, 200)])
    assert not recorder.settle(ORIGIN + S - 1)
    assert recorder.settle(ORIGIN + S)
    assert not recorder.settle(ORIGIN + S)


def test_changed_windows_are_those_counted_in_since_the_last_call() -> None:
    recorder = recorded([Ended(0, 0, 10, 0, 200), Ended(S, 0, 10, 0, 200)])
    assert [window.second for window in recorder.changed()] == [0, 1]
    assert recorder.changed() == ()
    record(recorder, Ended(1, 0, 20, 0, 200))
    (window,) = recorder.changed()
    assert window.second == 0
    assert window.response_time == Histogram([10, 20])


def test_a_straggler_reopens_a_window_that_was_put_away() -> None:
    recorder = recorded([Ended(0, 0, 10, 0, 200)])
    recorder.changed()
    assert recorder.settle(ORIGIN + S)
    record(recorder, Ended(1, 0, 20, 0, None))
    (window,) = recorder.changed()
    assert window.response_time == Histogram([10, 20])
    assert (window.requests, window.errors) == (recorder.completed, recorder.errors) == (2, 1)


def test_a_window_that_was_put_away_since_it_changed_is_told_all_the_same() -> None:
    recorder = recorded([Ended(0, 0, 10, 0, 200)])
    assert recorder.settle(ORIGIN + S)
    (window,) = recorder.changed()
    assert window.response_time == Histogram([10])
    record(recorder, Ended(1, 0, 20, 0, 500))
    assert recorder.settle(ORIGIN + S)
    (window,) = recorder.changed()
    assert (window.requests, window.errors) == (2, 1)


def test_a_failed_check_is_an_error_whatever_the_status() -> None:
    recorder = OperationRecorder("GET /")
    recorder.response(0, 0, 1, 2, 200, rejected="total is wrong")
    measured = recorder.measurement()
    assert measured.errors == measured.unexpected == 1
    assert measured.rejected == {"total is wrong": 1}
    assert measured.error_time == measured.response_time


def test_the_opening_of_a_connection_is_counted_with_the_request_that_used_it() -> None:
    recorder = OperationRecorder("GET /", origin_ns=ORIGIN)
    recorder.connected(ORIGIN + S, 100, 200)
    recorder.connected(ORIGIN, 50, None)
    measured = recorder.measurement()
    assert measured.connect == Histogram([50, 100])
    assert measured.tls == Histogram([200])
    assert [window.second for window in measured.windows] == [0, 1]
    assert measured.requests == 0


def test_the_scenario_may_expect_an_error_status() -> None:
    recorder = OperationRecorder("GET /", expected=frozenset({404}))
    recorder.response(0, 0, 1, 2, 404)
    recorder.response(0, 0, 1, 2, 200)
    assert recorder.measurement().unexpected == 1


def test_the_number_of_windows_is_bounded_however_long_the_run() -> None:
    assert [window_width_s(seconds) for seconds in (0.5, 600, 601, 8 * 3600)] == [1, 1, 2, 48]
    assert 8 * 3600 / window_width_s(8 * 3600) <= MAX_WINDOWS


@given(st.lists(st.integers(0, 10**12)))
def test_a_tally_becomes_the_histogram_of_its_values(values: list[int]) -> None:
    tally = Tally()
    for value in values:
        tally.record(value)
    assert tally.histogram() == Histogram(values)
