"""Results: everything one invocation learned, and how several become one. Pure.

results   the parts, the conclusion and the exit code
merge     the shards of a run as one
"""

from withstand.results.merge import merge, merge_shards
from withstand.results.results import Conclusion, Results, fails_at

__all__ = ["Conclusion", "Results", "fails_at", "merge", "merge_shards"]
