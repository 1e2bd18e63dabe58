"""Invariants under simultaneous requests: what breaks them, and what cannot be tried."""

import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from withstand.client.exchange import Exchange, Request, Response
from withstand.client.identity import LoginRecipe
from withstand.client.scripted import Scripted
from withstand.scan.catalogue import check_named
from withstand.scan.check import Server
from withstand.scan.examples import UNAUTHENTICATED, answer, body, caller, operation, sent
from withstand.scan.finding import Finding
from withstand.scan.race import Race
from withstand.scan.records.record import CoverageState

from .tiny_api import findings, scanned, state

RACE = "race-condition"
REDEEM = "POST /coupons/{code}/redeem"
INTEGER = {"type": "integer"}
COUPONS: dict[str, Any] = {
    "/coupons": {"post": operation(requestBody=body(percent=INTEGER))},
    "/coupons/{code}/redeem": {"post": operation(parameters=(("path", "code"),))},
}
WALLET: dict[str, Any] = {
    "/wallet": {"get": operation()},
    "/wallet/payments": {"post": operation(requestBody=body(amount=INTEGER))},
}
PAY = "POST /wallet/payments"
OVERDRAWN = Race(read="GET /wallet", value="$.data.balance", least=0, values={"amount": 60})


def policy(key: str, race: Race) -> dict[str, Any]:
    return {"races": {key: race}}


class Together(Scripted):
    """A burst is served by threads that meet at a barrier between the check and the act."""

    bursts = 0

    async def burst(self, requests: Sequence[Request]) -> tuple[Exchange, ...]:
        self.bursts += 1
        with ThreadPoolExecutor(len(requests)) as threads:
            outcomes = list(threads.map(self._server, requests))
        return tuple(
            self._record(request, outcome)
            for request, outcome in zip(requests, outcomes, strict=True)
        )


class Shop:
    """Coupons that work once and a wallet of 100, each with or without a lock."""

    def __init__(self, *, careful: bool, soft: bool = False) -> None:
        self._lock = threading.Lock() if careful else None
        self._soft = soft
        self._meet = threading.Barrier(10)
        self._used: dict[str, bool] = {}
        self.balance = 100

    def __call__(self, request: Request) -> Response:
        if caller(request) is None:
            return UNAUTHENTICATED
        if request.path == "/coupons":
            code = f"C{len(self._used)}"
            self._used[code] = False
            return answer(201, {"data": {"code": code}})
        if request.path == "/wallet":
            return answer(200, {"data": {"balance": f"{self.balance}.00"}})
        if self._lock is None:
            return self._act(request)
        with self._lock:
            return self._act(request)

    def _act(self, request: Request) -> Response:
        if request.path == "/wallet/payments":
            amount = sent(request).get("amount", 0)
            if self.balance < amount:
                return self._no("there is not enough in it")
            self._wait()
            self.balance -= amount
            return answer(200, {"ok": True})
        code = request.path.split("/")[2]
        if self._used.get(code, True):
            return self._no("it has been used")
        self._wait()
        self._used[code] = True
        return answer(200, {"ok": True})

    def _no(self, why: str) -> Response:
        return answer(200 if self._soft else 409, {"ok": False, "why": why})

    def _wait(self) -> None:
        """Long enough for the others of a burst to come as far; alone it does not wait long."""
        if self._lock is None:
            try:
                self._meet.wait(timeout=0.05)
            except threading.BrokenBarrierError:
                self._meet.reset()


def found(server: Server, paths: dict[str, Any], key: str, race: Race) -> tuple[Finding, ...]:
    return findings(RACE, server, paths, policy=policy(key, race), transport=Together(server))


@pytest.mark.parametrize("soft", [False, True])
def test_a_coupon_that_works_several_times_at_once_is_found(soft: bool) -> None:
    race = Race(at_most=1)
    (finding,) = found(Shop(careful=False, soft=soft), COUPONS, REDEEM, race)
    assert finding.operations == (REDEEM,)
    assert "10 succeeded, and 1 may" in finding.detail
    assert found(Shop(careful=True, soft=soft), COUPONS, REDEEM, race) == ()


def test_what_everybody_may_do_once_is_tried_by_somebody_new() -> None:
    used: set[str] = set()
    entered = threading.Barrier(10)

    def server(request: Request) -> Response:
        if request.path == "/register":
            return answer(201, {"id": 7, **sent(request)})
        if request.path == "/login":
            return answer(200, {"access_token": "new-token"})
        who = (request.header("authorization") or "").removeprefix("Bearer ")
        if who not in {"alice-token", "bob-token", "root-token", "new-token"}:
            return UNAUTHENTICATED
        if request.path == "/me":
            return answer(200, {"name": who})
        if who in used:
            return answer(400, {"code": ["Already redeemed."]})
        if who == "new-token":
            entered.wait(timeout=5)
        used.add(who)
        return answer(200, {"credits": 10})

    account = body(email={"type": "string"}, password={"type": "string"})
    document = {
        "/me": {"get": operation()},
        "/register": {"post": operation(secured=False, requestBody=account)},
        "/login": {"post": operation(secured=False, requestBody=account)},
        REDEEM.removeprefix("POST "): COUPONS["/coupons/{code}/redeem"],
    }
    login = LoginRecipe(
        method="POST", path="/login", payload={"email": "{email}", "password": "{password}"}
    )
    race = Race(at_most=1, values={"code": "WELCOME"})
    (finding,) = findings(
        RACE, server, document, policy=policy(REDEEM, race), transport=Together(server), login=login
    )
    assert "10 succeeded, and 1 may" in finding.detail


def test_a_number_that_is_out_of_its_bounds_afterwards_is_found() -> None:
    (finding,) = found(Shop(careful=False), WALLET, PAY, OVERDRAWN)
    assert "$.data.balance is -" in finding.detail
    assert "not at least 0" in finding.detail
    assert found(Shop(careful=True), WALLET, PAY, OVERDRAWN) == ()


def test_the_one_who_makes_the_thing_may_be_another_than_those_who_use_it() -> None:
    senders: dict[str, set[str | None]] = {}
    shop = Shop(careful=True)

    def server(request: Request) -> Response:
        senders.setdefault(request.path.rsplit("/", 1)[-1], set()).add(caller(request))
        if request.path == "/coupons" and caller(request) != "root":
            return answer(403, {"error": "no"})
        return shop(request)

    race = Race(at_most=1, prepare="POST /coupons", prepare_as="root", identity="bob")
    what, reason = state(
        RACE, server, COUPONS, policy=policy(REDEEM, race), transport=Together(server)
    )
    assert (what, reason) == (CoverageState.PASSED, f"{REDEEM}: 1 of 10 succeeded")
    assert "bob" in senders["redeem"]


@pytest.mark.parametrize(
    ("race", "key", "reason"),
    [
        (Race(at_most=1), "POST /nowhere", "no such operation"),
        (Race(at_most=1, values={"code": "USED"}), REDEEM, "none of 10 requests succeeded (409)"),
        (Race(at_most=1, values={"cod": "X"}), REDEEM, "no input named cod"),
        (Race(at_most=1, identity="eve"), REDEEM, "no identity named 'eve'"),
        (Race(at_most=1, prepare="POST /gone"), REDEEM, "no operation POST /gone"),
        (Race(read="GET /wallet", value="$.balance", least=0), PAY, "without a number"),
        (
            Race(read="GET /wallet", value="$.data.balance", least=1000),
            PAY,
            "is 100 before anything is sent, which is not at least 1000",
        ),
    ],
)
def test_what_cannot_be_tried_is_inconclusive_and_says_why(
    race: Race, key: str, reason: str
) -> None:
    shop = Shop(careful=True)
    what, told = state(RACE, shop, {**COUPONS, **WALLET}, policy=policy(key, race))
    assert what is CoverageState.INCONCLUSIVE
    assert reason in told


def test_a_limiter_that_lets_few_through_proves_nothing() -> None:
    count = 0

    def server(request: Request) -> Response:
        nonlocal count
        if not request.path.endswith("redeem"):
            return Shop(careful=True)(request)
        count += 1
        return answer(200 if count == 1 else 429, {"ok": True})

    what, reason = state(
        RACE, server, COUPONS, policy=policy(REDEEM, Race(at_most=1, values={"code": "X"}))
    )
    assert (what, "429" in reason) == (CoverageState.INCONCLUSIVE, True)


def test_a_breach_is_proof_by_itself_and_not_repeated() -> None:
    shop = Shop(careful=False)
    together = Together(shop)
    fixed = Race(at_most=1, requests=4, prepare="POST /coupons")
    checks = (check_named(RACE),)
    record, _ = scanned(
        shop, COUPONS, checks=checks, policy=policy(REDEEM, fixed), transport=together
    )
    assert "Of 4 requests" in record.findings[0].detail
    assert together.bursts == 1


def test_without_an_invariant_there_is_nothing_to_try() -> None:
    assert state(RACE, Shop(careful=True), COUPONS)[0] is CoverageState.NOT_APPLICABLE
