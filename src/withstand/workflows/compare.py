"""The comparison: two addresses or two commands → requests to both in turn → what they took."""

from withstand.client.loop import run
from withstand.load.comparison import ComparisonMeasurement
from withstand.workflows.compare_plan import ComparePlan, Observer
from withstand.workflows.comparing import Comparing


def run_comparison(plan: ComparePlan, *, observer: Observer | None = None) -> ComparisonMeasurement:
    """Two versions' answers to the same requests, side by side.

    Raises UsageError for a command that cannot be started, a document that cannot be read or an
    operation that it does not have; TargetUnreachable for a version that does not come up;
    RunVoid when no operation succeeds on both, or the time is up before anything can be compared.
    """
    return run(Comparing(plan, observer).measure())
