"""Locust's own statistics of a request, with fewer steps to the same numbers."""

from time import time
from typing import Any

import locust.stats
from locust.stats import RequestStats, StatsEntry

_FIELDS = (
    "num_requests",
    "num_none_requests",
    "num_reqs_per_sec",
    "last_request_timestamp",
    "total_response_time",
    "min_response_time",
    "max_response_time",
    "response_times",
    "total_content_length",
    "use_response_times_cache",
)


_parts = (StatsEntry.log, StatsEntry._log_time_of_request, StatsEntry._log_response_time)
_log_request = RequestStats.log_request
_bucket = getattr(locust.stats, "bucket_response_time", None)  # from 2.43.4 on


def _rounded(response_time: float) -> int:
    """As Locust did before anybody could put another function in its place."""
    digits = 0 if response_time < 100 else -1 if response_time < 1_000 else -2
    return int(round(response_time, digits if response_time < 10_000 else -3))


def be_quick() -> None:
    """Let Locust count in fewer steps, or as ever where somebody has put another way of counting in
    the place of one of its own, or an entry of its statistics has not the fields that are filled
    in here.
    """
    entry = RequestStats().total
    now = (StatsEntry.log, StatsEntry._log_time_of_request, StatsEntry._log_response_time)
    if RequestStats.log_request not in (_log_request, log_request):
        return  # somebody's own
    quick = now == _parts and all(hasattr(entry, name) for name in _FIELDS)
    RequestStats.log_request = log_request if quick else _log_request  # type: ignore[method-assign]


def log_request(
    self: Any, method: str, name: str, response_time: float | None, content_length: int
) -> None:
    """In the place of `RequestStats.log_request`."""
    now = time()
    second = int(now)
    bucket = None
    if response_time is not None:
        by = getattr(locust.stats, "bucket_response_time", _rounded)
        if response_time < 100 and (by is _bucket or by is _rounded):
            bucket = round(response_time)
        else:
            bucket = by(response_time)
    for entry in (self.total, self.entries[(name, method)]):
        last = entry.last_request_timestamp
        if entry.use_response_times_cache and last and second > int(last):
            entry._cache_response_times(second - 1)
        entry.num_requests += 1
        entry.num_reqs_per_sec[second] += 1
        entry.last_request_timestamp = now
        entry.total_content_length += content_length
        if response_time is None:
            entry.num_none_requests += 1
            continue
        entry.total_response_time += response_time
        least = entry.min_response_time
        if least is None or response_time < least:
            entry.min_response_time = response_time
        if response_time > entry.max_response_time:
            entry.max_response_time = response_time
        entry.response_times[bucket] += 1
