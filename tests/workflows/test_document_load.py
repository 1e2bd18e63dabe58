"""The load journey on a document, against the demo in a process of its own."""

from dataclasses import replace

import pytest

from tests.demo.running import RunningDemo
from withstand.client.identity import Identity, LoginRecipe
from withstand.client.target import parse_target
from withstand.demo.seed import ALICE
from withstand.errors import RunVoid, UsageError
from withstand.load.profile.profile import ConstantRate
from withstand.results import Results
from withstand.scan.plan import ScanPlan
from withstand.scan.policy import Policy
from withstand.slo import Objective, parse_objective
from withstand.workflows import LoadPlan, Occasion, fetch_document, nonce, run_document_load


@pytest.fixture(scope="module")
def plan(demo: RunningDemo) -> ScanPlan:
    target = parse_target(demo.words["url"])
    api = fetch_document("/openapi.json", target)
    return ScanPlan(api=api, target=target, policy=Policy(), checks=(), nonce=nonce)


def loaded(
    plan: ScanPlan,
    *operations: str,
    objectives: tuple[Objective, ...] = (),
    run_time_s: float = 0.5,
) -> Results:
    profile = ConstantRate(rate_per_s=40, duration_s=run_time_s)
    load = LoadPlan(profile=profile, operations=operations)
    return run_document_load(plan, load, Occasion(command="", objectives=objectives))


def test_operations_that_could_not_be_loaded_are_named_with_the_reason(plan: ScanPlan) -> None:
    promise = parse_objective("p95<1s", operation="GET /users")
    results = loaded(plan, objectives=(promise,))
    assert results.load is not None
    assert "GET /health" in results.load.operations
    assert "GET /users" not in results.load.operations
    why = results.load.left_out["GET /users"]
    assert "may be used for it" in why
    (verdict,) = results.verdicts()
    assert why in verdict.reason


def test_an_operation_that_was_asked_for_and_cannot_be_called_voids_the_run(
    plan: ScanPlan,
) -> None:
    with pytest.raises(RunVoid, match=r"GET /users: .*may be used for it"):
        loaded(plan, "GET /health", "GET /users")


def test_a_token_that_would_expire_during_the_run_voids_it_before_the_load(
    plan: ScanPlan,
) -> None:
    payload = {"email": "{email}", "password": "{password}", "expires_in": 60}
    login = LoginRecipe(method="POST", path="/auth/token", payload=payload)
    fields = {"email": ALICE.email, "password": ALICE.password}
    alice = Identity(name="alice", role="user", fields=fields)
    signed_in = replace(plan, identities=(alice,), login=login)
    assert loaded(signed_in, "GET /users/me", run_time_s=1).load is not None
    with pytest.raises(RunVoid, match=r"token expires in \d\d s, before the end of 40/s for 600 s"):
        loaded(signed_in, "GET /users/me", run_time_s=600)


def test_an_objective_on_no_operation_of_the_document_is_refused(plan: ScanPlan) -> None:
    promise = parse_objective("p95<1s", operation="GET /user")
    with pytest.raises(UsageError, match=r"'GET /user'.*no operation"):
        loaded(plan, objectives=(promise,))
