"""One request after the other until an objective is decided: what is said, and when."""

import random
import re
from collections.abc import Callable

import pytest

from withstand.errors import UsageError
from withstand.slo import Verdict, VerdictState, parse_objective
from withstand.slo.trial import Trial

MS = 1_000_000


def _tried(*objectives: str, next_ms: Callable[[int], float], most: int = 30_000) -> list[Verdict]:
    """The verdicts on an operation whose n-th request takes so long; 0 is one that fails."""
    trial = Trial("GET /users", [parse_objective(each) for each in objectives])
    while not trial.done and trial.requests < most:
        elapsed_ms = next_ms(trial.requests)
        trial.add(elapsed_ms * MS, failed=elapsed_ms == 0)
    trial.close()
    return list(trial.verdicts())


def _drawn(share: float, seed: int) -> Callable[[int], float]:
    """300 ms with a share, else from 50 to 150 ms."""
    rng = random.Random(seed)
    return lambda _: 300.0 if rng.random() < share else rng.uniform(50, 150)


def _all_decided(*objectives: str, next_ms: Callable[[int], float]) -> list[Verdict]:
    """The verdicts when a breach of one objective does not end the trial."""
    trial = Trial("GET /users", [parse_objective(each) for each in objectives])
    while not trial.all_decided:
        elapsed_ms = next_ms(trial.requests)
        trial.add(elapsed_ms * MS, failed=elapsed_ms == 0)
    return list(trial.verdicts())


def test_a_breach_of_one_objective_can_leave_the_others_their_requests() -> None:
    quantile, errors = _all_decided("p95<1ms", "errors<3%", next_ms=lambda _: 50)
    assert (quantile.state, errors.state) == (VerdictState.BREACHED, VerdictState.MET)


def test_no_errors_alone_are_promised_of_more_than_one_request() -> None:
    (errors,) = _all_decided("errors=0", next_ms=lambda _: 50)
    assert (errors.state, errors.samples) == (VerdictState.MET, 40)
    (errors,) = _all_decided("errors=0", next_ms=lambda n: float(n < 5))
    assert (errors.state, errors.samples) == (VerdictState.BREACHED, 6)


def test_what_is_always_quick_is_met_after_as_few_requests_as_can_tell() -> None:
    (verdict,) = _tried("p95<200ms", next_ms=lambda n: 50 + n % 7)
    assert (verdict.state, verdict.samples, verdict.observed) == (VerdictState.MET, 90, 56 * MS)
    assert verdict.interval is not None
    low, high = verdict.interval
    assert low is not None
    assert high is not None
    assert 50 * MS <= low <= high <= 56 * MS
    assert verdict.reason == "0 of 90 requests failed or took longer than 200 ms; 5 % may"


def test_a_breach_is_seen_twice() -> None:
    (verdict,) = _tried("p95<200ms", next_ms=_drawn(0.3, 1))
    assert verdict.state is VerdictState.BREACHED
    assert ", and then " in verdict.reason
    assert verdict.interval is not None
    assert verdict.interval[0] == pytest.approx(300 * MS)


def test_a_breach_that_is_not_seen_again_is_inconclusive() -> None:
    (verdict,) = _tried("p95<200ms", next_ms=lambda n: 300 if n < 40 else 50)
    assert verdict.state is VerdictState.INCONCLUSIVE
    assert "the breach was not seen again" in verdict.reason


def test_a_request_that_fails_is_slower_than_every_limit() -> None:
    (verdict,) = _tried("p95<10s", next_ms=lambda n: n % 3)
    assert verdict.state is VerdictState.BREACHED
    assert verdict.observed is None


def test_errors_are_judged_by_their_share() -> None:
    met, breached = (
        _tried("errors<5%", next_ms=lambda n, every=every: float(n % every))[0]  # type: ignore[misc]
        for every in (1_000_000, 4)
    )
    assert (met.state, breached.state) == (VerdictState.MET, VerdictState.BREACHED)
    assert breached.observed == pytest.approx(0.25, abs=0.05)
    assert breached.interval is not None
    low, high = breached.interval
    assert low is not None
    assert high is not None
    assert 0.05 < low < 0.25 < high < 0.5


def test_without_any_error_is_a_promise_about_these_requests() -> None:
    quantile, errors = _tried("p95<1s", "errors=0", next_ms=lambda _: 50)
    assert (quantile.state, errors.state) == (VerdictState.MET, VerdictState.MET)
    _, errors = _tried("p95<1s", "errors=0", next_ms=lambda n: 0 if n == 12 else 50)
    assert errors.state is VerdictState.BREACHED
    assert (errors.samples, errors.reason) == (13, "1 of 13 requests failed; none may")


@pytest.mark.parametrize(
    ("share", "most", "expected"),
    [
        (0.0, 20, "it takes at least 85 requests to meet it"),
        (0.025, 100, "too close to tell, which needs about 240 more requests"),
        (0.05, 1_000, "too close to the limit for more requests to tell"),
    ],
)
def test_what_would_decide_is_said(share: float, most: int, expected: str) -> None:
    every = round(1 / share) if share else most
    (verdict,) = _tried(
        "p95<200ms", next_ms=lambda n: 300 if n % every == every - 1 and share else 50, most=most
    )
    assert verdict.state is VerdictState.INCONCLUSIVE
    assert verdict.samples == most
    assert re.search(f": {expected}$", verdict.reason)


def test_nothing_measured_is_said() -> None:
    quantile, errors = _tried("p95<1s", "errors=0", next_ms=lambda _: 50, most=0)
    assert quantile.without_samples
    assert errors.without_samples
    assert errors.reason == "no request was measured"
    assert quantile.reason == "no request was measured, and it takes at least 85 to meet it"


def test_a_breach_that_is_cut_off_before_it_is_seen_again_has_to_show_in_both_halves() -> None:
    trial = Trial("GET /users", [parse_objective("p95<200ms")])
    while not trial.at_pause:
        trial.add(300 * MS)
    assert (trial.requests, trial.done) == (40, False)
    trial.close()
    (verdict,) = trial.verdicts()
    assert verdict.state is VerdictState.BREACHED
    assert verdict.reason.startswith("20 of 20, and then 20 of 20 requests ")


def test_a_second_sample_that_is_cut_off_says_how_many_more_would_decide() -> None:
    slow_first = _tried("p95<200ms", next_ms=lambda n: 300 if n < 40 or n % 9 == 0 else 50, most=60)
    (verdict,) = slow_first
    assert verdict.state is VerdictState.INCONCLUSIVE
    assert re.search(r": too close to tell, which needs about \d+ more requests$", verdict.reason)


def test_what_is_tried_may_be_called_otherwise() -> None:
    for most in (0, 10, 40):
        trial = Trial(
            "test_a", [parse_objective("p95<1s"), parse_objective("errors=0")], noun="call"
        )
        for _ in range(most):
            trial.add(5 * MS)
        trial.close()
        for verdict in trial.verdicts():
            assert "request" not in verdict.reason
            assert "call" in verdict.reason


@pytest.mark.parametrize("text", ["avg<1s", "max<1s", "rps>5", "p95<1s over 10s"])
def test_what_only_a_load_can_judge_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="one after the other"):
        Trial("GET /users", [parse_objective(text)])
