"""Whose turn it is: everybody's, in turn, and nobody is kept waiting by another's pause."""

import random
from collections import Counter
from collections.abc import Callable

from withstand.slo import VerdictState, parse_objective
from withstand.slo.rota import WARM_UP, Rota
from withstand.slo.trial import Trial

MS = 1_000_000
Service = Callable[[str, int], float | None]  # operation, the how manieth request of all → ms


class Session:
    """Trials of some operations in virtual time, the order in which they were asked, and waits."""

    def __init__(
        self, service: Service, *operations: str, slo: str = "p95<200ms", budget_s: float = 30.0
    ) -> None:
        self.trials = {key: Trial(key, [parse_objective(slo)]) for key in operations}
        self.rota = Rota(self.trials, budget_s=budget_s)
        self.asked: list[str] = []
        self.waited_s: list[float] = []
        now_s = 0.0
        while (wait_s := self.rota.wait_s(now_s)) is not None:
            operation = self.rota.next(now_s)
            if operation is None:
                self.waited_s.append(wait_s)
                now_s += wait_s
                continue
            took_ms = service(operation, len(self.asked))
            self.asked.append(operation)
            now_s += (took_ms or 1) / 1e3
            self.rota.took(
                operation,
                None if took_ms is None else round(took_ms * MS),
                spent_s=(took_ms or 1) / 1e3,
                now_s=now_s,
            )
        for trial in self.trials.values():
            trial.close()

    def state(self, operation: str) -> VerdictState:
        """What became of the operation's objective."""
        (verdict,) = self.trials[operation].verdicts()
        return verdict.state


def test_operations_take_turns_until_each_is_decided() -> None:
    session = Session(lambda operation, _: 50 + ord(operation), "a", "b", "c")
    assert session.asked[:7] == ["a", "b", "c", "a", "b", "c", "a"]
    assert Counter(session.asked) == dict.fromkeys("abc", WARM_UP + 90)
    assert session.rota.over == 3


def test_one_that_is_decided_leaves_its_turns_to_the_others() -> None:
    session = Session(lambda operation, n: 300 if operation == "b" and n % 5 else 50, "a", "b")
    assert session.state("a") is VerdictState.MET
    assert session.state("b") is VerdictState.BREACHED
    decided = max(index for index, asked in enumerate(session.asked) if asked == "a")
    assert set(session.asked[decided + 1 :]) <= {"b"}


def test_a_pause_before_the_second_sample_stops_nobody_else() -> None:
    session = Session(lambda operation, _: 300 if operation == "slow" else 20, "slow", "quick")
    first = [n for n, asked in enumerate(session.asked) if asked == "slow"][WARM_UP + 39]
    after = session.asked[first + 1 :]
    # One second is fifty requests of twenty milliseconds.
    assert after[: after.index("slow")] in (["quick"] * 50, ["quick"] * 51)
    assert session.waited_s == []
    assert session.state("slow") is VerdictState.BREACHED


def test_alone_it_waits() -> None:
    assert Session(lambda *_: 300, "slow").waited_s == [1.0]


def test_the_warm_up_does_not_count() -> None:
    session = Session(lambda _, n: 5_000 if n < WARM_UP else 20, "a", budget_s=600)
    (verdict,) = session.trials["a"].verdicts()
    assert (verdict.state, verdict.samples) == (VerdictState.MET, 90)
    assert session.rota.warmed_up("a") == WARM_UP


def test_slow_requests_warm_up_with_fewer() -> None:
    session = Session(lambda *_: 2_000, "a", budget_s=30)
    assert session.rota.warmed_up("a") == 2
    assert len(session.asked) == 15


def test_a_spent_budget_ends_one_operation_and_not_the_others() -> None:
    session = Session(lambda operation, _: 900 if operation == "a" else 9, "a", "b", slo="p95<1s")
    assert session.state("a") is VerdictState.INCONCLUSIVE
    assert 30 <= session.rota.spent_s("a") < 31
    assert session.state("b") is VerdictState.MET


def test_a_failure_is_an_exceedance() -> None:
    assert Session(lambda *_: None, "a").state("a") is VerdictState.BREACHED


def test_one_that_is_withdrawn_is_asked_no_more() -> None:
    rota = Rota({"a": Trial("a", [parse_objective("p95<1s")])}, budget_s=30)
    rota.withdraw("a")
    assert (rota.next(0.0), rota.wait_s(0.0), rota.over) == (None, None, 1)


def test_bursts_do_not_hide_in_one_operations_sample() -> None:
    """One request in ten is slow, in bursts of 30 in a row, so that a sample of 90 of one operation
    alone would miss them more often than not; of twenty operations in turn hardly any does.
    """

    def bursts(rng: random.Random) -> Service:
        slow = False

        def took_ms(_: str, __: int) -> float:
            nonlocal slow
            if rng.random() < (1 / 30 if slow else 1 / 270):
                slow = not slow
            return 300 if slow else 50

        return took_ms

    operations = [f"GET /{number}" for number in range(20)]
    rng = random.Random(4)
    together = [Session(bursts(rng), *operations) for _ in range(3)]
    wrong = sum(run.state(key) is VerdictState.MET for run in together for key in operations)
    alone = [Session(bursts(rng), "GET /0") for _ in range(60)]
    missed = sum(run.state("GET /0") is VerdictState.MET for run in alone)
    assert wrong <= 60 * 0.08
    assert missed >= 60 * 0.4
