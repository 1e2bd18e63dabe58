"""Results: everything one invocation learned, and how several become one. Pure.

results   the parts, the conclusion and the exit code
merge     the shards of a run as one
"""

from withstand.results.merge import merge, merge_shards, with_expected
from withstand.results.results import Conclusion, Results, fails_at
from withstand.results.void_run import VoidRun, why_nothing

__all__ = [
    "Conclusion",
    "Results",
    "VoidRun",
    "fails_at",
    "merge",
    "merge_shards",
    "why_nothing",
    "with_expected",
]
