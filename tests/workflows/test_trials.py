"""The trials over real sockets: what is sent, and how they end."""

import os
import signal

import pytest

from tests.demo.running import RunningDemo, running
from withstand.client.identity import Identity, LoginRecipe
from withstand.client.target import parse_target
from withstand.demo.seed import ALICE
from withstand.errors import UsageError
from withstand.report.headline import headline
from withstand.results import Conclusion, Results
from withstand.scan.plan import ScanPlan
from withstand.scan.policy import Policy
from withstand.slo import Objective, VerdictState, parse_named_objective
from withstand.slo.rota import WARM_UP
from withstand.workflows import (
    CheckPlan,
    Occasion,
    TrialProgress,
    fetch_document,
    nonce,
    run_check,
    run_trials,
)
from withstand.workflows.trials import TrialObserver


def plan_for(demo: RunningDemo, *, expires_in_s: int | None = None) -> ScanPlan:
    """Alice against the demo."""
    target = parse_target(demo.words["url"])
    payload = {"email": "{email}", "password": "{password}"}
    more = {} if expires_in_s is None else {"expires_in": expires_in_s}
    return ScanPlan(
        api=fetch_document("/openapi.json", target),
        target=target,
        policy=Policy(),
        checks=(),
        nonce=nonce,
        identities=(
            Identity(
                name="alice",
                role="user",
                fields={"email": ALICE.email, "password": ALICE.password},
            ),
        ),
        login=LoginRecipe(
            method="POST",
            path="/auth/token",
            payload={**payload, **more},
            encoding="json",
            token_path="$.access_token",
            send_as="Authorization: Bearer {token}",
        ),
    )


def occasion(*objectives: str) -> Occasion:
    return Occasion(command="", objectives=tuple(map(parse_named_objective, objectives)))


def tried(
    demo: RunningDemo,
    *objectives: str,
    observer: TrialObserver = lambda _progress: None,
    budget_s: float = 60.0,
) -> Results:
    return run_trials(plan_for(demo), occasion(*objectives), observer=observer, budget_s=budget_s)


def states(results: Results) -> dict[str, VerdictState]:
    return {f"{v.operation} {v.objective.name}": v.state for v in results.verdicts()}


def test_operations_take_turns_and_no_request_is_sent_that_no_verdict_needs(
    demo: RunningDemo,
) -> None:
    asked: list[str] = []
    results = tried(
        demo,
        *("GET /health: p95<10min", "GET /orders/{id}: p95<10min", "GET /users/me: p95<10min"),
        observer=lambda progress: asked.append(progress.now),
    )

    assert set(states(results).values()) == {VerdictState.MET}
    turns = ["GET /health", "GET /users/me", "GET /orders/{id}"]
    assert asked[: 3 * WARM_UP] == turns * WARM_UP
    assert results.trials is not None
    for shares in results.trials.operations.values():
        (share,) = shares
        # On a busy machine neighbours resemble each other, and more than 90 are needed.
        assert 90 <= len(share.durations.values) < 1_000
        assert None not in share.durations.values
        assert (share.warm_up, share.errors) == (WARM_UP, {})
        assert share.spent_s > sum(share.durations.values) / 1e9  # type: ignore[arg-type]
    assert len(asked) == sum(
        WARM_UP + len(share.durations.values) for (share,) in results.trials.operations.values()
    )


def test_several_objectives_share_the_requests_of_an_operation(demo: RunningDemo) -> None:
    results = tried(
        demo, "GET /health: p50<1ns", "GET /health: p95<10min", "GET /health: errors<5%"
    )

    health = [v for v in results.verdicts() if v.operation == "GET /health"]
    assert [(v.objective.name, v.state.value) for v in health] == [
        ("p50", "breached"),
        ("p95", "met"),
        ("errors", "met"),
    ]
    assert max(v.samples for v in health) < 1_000
    assert results.exit_code() == 1


def test_a_write_is_called_when_it_is_named_and_left_out_when_it_works_only_once(
    demo: RunningDemo,
) -> None:
    results = tried(demo, "p50<10min", "POST /orders: p50<10min", "DELETE /orders/{id}: p50<10min")

    assert results.trials is not None
    assert "POST /orders" in results.trials.operations
    assert "PATCH /users/me" in results.trials.left_out
    assert "cannot be repeated" in results.trials.left_out["DELETE /orders/{id}"]
    assert "DELETE /orders/{id}" not in results.trials.operations


def test_what_cannot_be_called_says_why(demo: RunningDemo) -> None:
    results = tried(demo, "GET /admin/users/{id}: p95<1s")

    (verdict,) = results.verdicts()
    assert verdict.without_samples
    assert "GET /admin/users/{id}" in verdict.reason
    assert results.exit_code() == 3


def test_an_objective_on_no_operation_is_refused(demo: RunningDemo) -> None:
    with pytest.raises(UsageError, match=r"is on 'GET /nowhere', which is no operation"):
        tried(demo, "GET /nowhere: p95<1s")


def test_a_spent_budget_leaves_it_undecided(demo: RunningDemo) -> None:
    results = tried(demo, "GET /health: p99<10min", budget_s=0.05)

    assert (results.conclusion(), results.exit_code()) == (Conclusion.UNDECIDED, 0)
    (verdict,) = results.verdicts()
    assert verdict.samples > 0
    assert "it takes at least 429 requests" in verdict.reason


def test_ctrl_c_keeps_what_was_measured(demo: RunningDemo) -> None:
    def interrupt(progress: TrialProgress) -> None:
        if progress.requests == 20:
            os.kill(os.getpid(), signal.SIGINT)

    results = tried(demo, "GET /health: p95<10min", observer=interrupt)

    assert results.interrupted
    (verdict,) = results.verdicts()
    assert verdict.state is VerdictState.INCONCLUSIVE
    assert 20 <= verdict.samples <= 22


def test_a_target_that_dies_voids_the_run_and_is_no_breach() -> None:
    with running() as doomed:

        def kill(progress: TrialProgress) -> None:
            if progress.requests == 30:
                doomed.process.kill()
                doomed.process.wait()

        results = run_check(
            plan_for(doomed),
            CheckPlan(),
            occasion("GET /health: p95<10min", "GET /users/me: errors=0"),
            trial_observer=kill,
        )

    assert results.exit_code() == 3
    assert results.scan is None
    assert "stopped answering" in headline(results)
    assert results.breached() == ()
    assert results.trials is not None
    assert sum(len(s.durations.values) for (s,) in results.trials.operations.values()) == 30


def test_a_scan_that_cannot_begin_loses_no_verdict_on_an_objective() -> None:
    with running() as doomed:

        def kill(sentence: str) -> None:
            if sentence.startswith("Scanning"):
                doomed.process.kill()
                doomed.process.wait()

        results = run_check(
            plan_for(doomed), CheckPlan(), occasion("GET /health: p95<1ns"), say=kill
        )

    assert results.scan is not None
    assert results.scan.void is not None
    (verdict,) = results.verdicts()
    assert verdict.state is VerdictState.BREACHED
    assert results.exit_code() == 1


def test_ctrl_c_between_trials_and_scan_loses_no_verdict(demo: RunningDemo) -> None:
    def interrupt(sentence: str) -> None:
        if sentence.startswith("Scanning"):
            raise KeyboardInterrupt

    results = run_check(
        plan_for(demo), CheckPlan(), occasion("GET /health: p95<10min"), say=interrupt
    )

    assert results.interrupted
    assert [verdict.state for verdict in results.verdicts()] == [VerdictState.MET]


def test_a_token_that_expires_ends_the_trials_before_its_401s_are_blamed_on_the_api(
    demo: RunningDemo,
) -> None:
    objectives: tuple[Objective, ...] = (parse_named_objective("GET /users/me: p99.99<10min"),)
    results = run_trials(
        plan_for(demo, expires_in_s=2), Occasion(command="", objectives=objectives)
    )

    assert results.trials is not None
    assert results.trials.ended is not None
    assert "token expired" in results.trials.ended
    assert results.breached() == ()
