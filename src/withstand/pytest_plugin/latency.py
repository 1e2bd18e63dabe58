"""The fixture `latency`: repeats one call of a test until its objectives are decided."""

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar, cast

import pytest

from withstand.errors import UsageError
from withstand.pytest_plugin.explained import explained
from withstand.pytest_plugin.markers import objectives_of
from withstand.pytest_plugin.measured_tests import explained_inconclusive
from withstand.pytest_plugin.measurement import Measurement
from withstand.pytest_plugin.objectives import FIXTURE, parse_objectives
from withstand.pytest_plugin.options import inconclusive_fails
from withstand.pytest_plugin.repetition import measure
from withstand.slo.verdict import VerdictState

Result = TypeVar("Result")


class InconclusiveWarning(UserWarning):
    """Objectives of a call of `latency` were neither met nor breached."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MeasuredCall(Generic[Result]):
    """What `latency` found of a call; `str()` of it has the verdicts, one a line.

    `result` is what the last call that did not fail returned.
    """

    measurement: Measurement
    result: Result

    @property
    def verdict(self) -> VerdictState:
        """`met` or `inconclusive`; what is breached has failed the test."""
        return self.measurement.verdict

    @property
    def calls(self) -> int:
        """How many calls were measured, after the warm-up."""
        return self.measurement.calls

    @property
    def seconds(self) -> float:
        """How long it took, warm-up and pauses included."""
        return self.measurement.seconds

    @property
    def quantiles_ms(self) -> dict[str, float | None]:
        """p50, p90, p95, p99 and those with an objective, by name; None where it was a failure."""
        return self.measurement.quantiles_ms

    @property
    def intervals_ms(self) -> dict[str, tuple[float | None, float | None]]:
        """Where each quantile with an objective surely lies, by name; None is an open end."""
        return self.measurement.intervals_ms

    def __str__(self) -> str:
        return "\n".join(self.measurement.lines())


class Latency:
    """`latency(lambda: api_client.get("/users"))`, by the objectives of the test's marker.

    Objectives can be stated in the call, as in the marker; those of the marker fill in.
    """

    def __init__(self, item: pytest.Item) -> None:
        self._item = item

    def __call__(self, call: Callable[[], Result], /, **objectives: object) -> MeasuredCall[Result]:
        """Repeats the call. Fails the test when an objective is breached; warns when one is
        inconclusive, or fails under --withstand-strict.
        """
        __tracebackhide__ = True
        with explained():
            stated = parse_objectives(objectives, FIXTURE)
            merged = {**objectives_of(self._item), **stated}
            if not merged:
                raise UsageError(
                    "latency has no objective to decide: neither the call nor a marker states one",
                    hint=FIXTURE.example,
                )
            measurement, result = measure(self._item, lambda: _plain(call()), merged)
        if measurement.verdict is VerdictState.BREACHED:
            pytest.fail(measurement.explanation(), pytrace=False)
        if measurement.verdict is VerdictState.INCONCLUSIVE:
            reason = explained_inconclusive(self._item, measurement)
            if inconclusive_fails(self._item.config):
                pytest.fail(reason, pytrace=False)
            warnings.warn(reason, InconclusiveWarning, stacklevel=2)
        return MeasuredCall(measurement=measurement, result=cast("Result", result))


def _plain(result: object) -> object:
    """Refuses what would have to be awaited: the time to make a coroutine is nobody's latency."""
    if hasattr(result, "__await__"):
        if hasattr(result, "close"):
            result.close()
        raise UsageError(
            "latency measures plain calls, and this one returned something to await",
            hint="give it a call that waits for its answer, such as lambda: api_client.get(…)",
        )
    return result
