"""Verdicts that say the same are read as one, and none is lost."""

from withstand.report.verdict_groups import verdict_groups
from withstand.slo import Objective, Unit, Verdict, VerdictState, parse_objective


def verdict(
    objective: Objective,
    operation: str,
    observed: float | None,
    state: VerdictState = VerdictState.MET,
    samples: int = 100,
) -> Verdict:
    return Verdict(
        objective=objective,
        operation=operation,
        state=state,
        observed=observed,
        unit=Unit.NANOSECONDS,
        interval=None,
        samples=samples,
        reason="because",
    )


P95 = parse_objective("p95<200ms")
RATE = parse_objective("rps>100", operation="GET *")


def test_of_those_that_are_met_the_one_nearest_to_the_limit_is_shown() -> None:
    met = [verdict(P95, f"GET /{at}", observed) for at, observed in enumerate((3e6, 9e7, 5e6))]

    (group,) = verdict_groups(met)

    assert group.shown.operation == "GET /1"
    assert {each.operation for each in group.others} == {"GET /0", "GET /2"}
    assert group.place == "3 operations"
    assert group.role == "nearest to the limit: GET /1"


def test_the_nearest_to_a_floor_is_the_lowest() -> None:
    (group,) = verdict_groups([verdict(RATE, "GET /a", 900.0), verdict(RATE, "GET /b", 101.0)])

    assert group.shown.operation == "GET /b"


def test_each_breach_stands_alone_and_first() -> None:
    state = VerdictState.BREACHED
    groups = verdict_groups(
        [
            verdict(P95, "GET /well", 1e6),
            verdict(P95, "GET /a", 3e8, state),
            verdict(P95, "GET /b", 4e8, state),
        ]
    )

    assert [each.place for each in groups] == ["GET /a", "GET /b", "GET /well"]
    assert all(not each.others and not each.role for each in groups)


def test_of_those_that_are_inconclusive_the_one_with_the_fewest_requests_is_shown() -> None:
    state = VerdictState.INCONCLUSIVE
    (group,) = verdict_groups(
        [verdict(P95, "GET /a", 3e6, state, 90), verdict(P95, "GET /b", 1e6, state, 12)]
    )

    assert group.shown.operation == "GET /b"
    assert group.role == "fewest requests: GET /b"


def test_what_was_never_measured_is_not_hidden_behind_another() -> None:
    state = VerdictState.INCONCLUSIVE
    groups = verdict_groups(
        [verdict(P95, "GET /a", 3e6, state, 90), verdict(P95, "GET /gone", None, state, 0)]
    )

    assert {each.place for each in groups} == {"GET /a", "GET /gone"}


def test_objectives_of_different_limits_are_not_mixed() -> None:
    other = parse_objective("p95<300ms")
    groups = verdict_groups([verdict(P95, "GET /a", 1e6), verdict(other, "GET /b", 1e6)])

    assert len(groups) == 2
