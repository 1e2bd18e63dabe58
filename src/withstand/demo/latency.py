"""Known latencies for the demo: what a measurement, an objective or a comparison has to find.

GET /users: lognormal 20ms 0.5      median, and the standard deviation of the logarithm
GET /products: bimodal 5ms 80ms 10% fast, slow, and the share of slow ones
*: fixed 5ms                        every operation that has no line of its own
"""

import asyncio
import random
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import exp
from typing import Final, Protocol

from starlette.types import ASGIApp, Message, Receive, Scope, Send

_FORMS: Final = '"lognormal 20ms 0.5", "bimodal 5ms 80ms 10%" or "fixed 5ms"'
_EVERY: Final = "*"
_TIME: Final = re.compile(r"(\d+(?:\.\d+)?)(us|ms|s)")
_UNIT_S: Final = {"us": 1e-6, "ms": 1e-3, "s": 1.0}
_PERCENT: Final = re.compile(r"(\d+(?:\.\d+)?)%")
_NUMBER: Final = re.compile(r"\d+(?:\.\d+)?")
# An event loop on epoll wakes up to a millisecond late: it waits for whole milliseconds. What is
# left is waited for by looking at the clock.
_WAKES_LATE_S: Final = 0.0015


class Distribution(Protocol):
    """Where latencies are drawn from."""

    def draw_s(self, source: random.Random) -> float:
        """The next latency, in seconds."""
        ...


@dataclass(frozen=True, slots=True)
class Fixed:
    """Always the same."""

    latency_s: float

    def draw_s(self, source: random.Random) -> float:  # noqa: ARG002 - nothing is drawn
        return self.latency_s


@dataclass(frozen=True, slots=True)
class Lognormal:
    """Its logarithm is normal: median exp(mu), so that P(above L) = 1 - Phi(ln(L/median)/sigma)."""

    median_s: float
    sigma: float

    def draw_s(self, source: random.Random) -> float:
        return self.median_s * exp(self.sigma * source.gauss())


@dataclass(frozen=True, slots=True)
class Bimodal:
    """Fast, but for a share of slow ones."""

    fast_s: float
    slow_s: float
    slow_share: float

    def draw_s(self, source: random.Random) -> float:
        return self.slow_s if source.random() < self.slow_share else self.fast_s


@dataclass(frozen=True, slots=True, kw_only=True)
class Latencies:
    """The distribution of each operation's latency, by `METHOD /path/{template}` or `*`.

    Every latency is multiplied by `factor`. With a `seed` each operation draws the same sequence
    after every start; None draws a new one.
    """

    of: Mapping[str, Distribution]
    factor: float = 1.0
    seed: str | None = None


def parse_latencies(
    lines: Sequence[str], *, slower: str | None = None, seed: str | None = None
) -> Latencies | None:
    """The latencies of lines such as "GET /users: fixed 5ms"; None without any.

    `slower` is by how much more than the lines say: "10%". Raises ValueError.
    """
    if not lines:
        if slower is not None or seed is not None:
            raise ValueError(
                "--slower and --latency-seed change the latencies of --latency; "
                'give --latency too, such as "GET /users: fixed 5ms".'
            )
        return None
    return Latencies(
        of=dict(map(_parsed, lines)),
        factor=1.0 if slower is None else 1.0 + _share(slower, f"--slower {slower}"),
        seed=seed,
    )


def _parsed(line: str) -> tuple[str, Distribution]:
    operation, colon, form = line.rpartition(":")
    operation = " ".join(operation.split())
    if not colon or not (operation == _EVERY or re.fullmatch(r"[A-Z]+ /\S*", operation)):
        raise ValueError(
            f'The latency "{line}" names no operation; write it as "GET /users: fixed 5ms".'
        )
    match form.split():
        case ["fixed", latency]:
            return operation, Fixed(_time_s(latency, line))
        case ["lognormal", median, sigma] if _NUMBER.fullmatch(sigma):
            return operation, Lognormal(_time_s(median, line), float(sigma))
        case ["bimodal", fast, slow, share]:
            slow_share = _share(share, line)
            if slow_share > 1:
                raise ValueError(f'"{share}" in "{line}" is more than all; give at most 100%.')
            return operation, Bimodal(_time_s(fast, line), _time_s(slow, line), slow_share)
    raise ValueError(f'"{form.strip()}" in "{line}" is no latency; write {_FORMS}.')


def _time_s(text: str, where: str) -> float:
    match = _TIME.fullmatch(text)
    if match is None:
        raise ValueError(f'"{text}" in "{where}" is no time; write it as 20ms, 500us or 1s.')
    return float(match[1]) * _UNIT_S[match[2]]


def _share(text: str, where: str) -> float:
    match = _PERCENT.fullmatch(text)
    if match is None:
        raise ValueError(f'"{text}" in "{where}" is no percentage; write it as 10%.')
    return float(match[1]) / 100


class _Drawn:
    """One operation's latencies, drawn one after the other."""

    def __init__(self, operation: str, distribution: Distribution, latencies: Latencies) -> None:
        method, _, path = operation.partition(" ")
        self._method = method
        pieces = re.split(r"\{[^/{}]*\}", path)
        self._path = re.compile("[^/]+".join(map(re.escape, pieces)))
        self._every = operation == _EVERY
        self._distribution = distribution
        self._factor = latencies.factor
        seed = None if latencies.seed is None else f"{latencies.seed} {operation}"
        self._source = random.Random(seed)  # noqa: S311 - no secrets

    def covers(self, method: str, path: str) -> bool:
        # A health check that waited would hold up whoever waits for the server to be up.
        if self._every:
            return path != "/health"
        return method == self._method and self._path.fullmatch(path) is not None

    def next_s(self) -> float:
        return self._factor * self._distribution.draw_s(self._source)


class KnownLatency:
    """Holds each response back until its drawn latency is over.

    The operation's own work is done within this time, so the latency at the server is the drawn
    one unless the work takes longer. GET /health is held back only by a line of its own.
    """

    def __init__(self, app: ASGIApp, latencies: Latencies) -> None:
        self._app = app
        # The line for all the others comes last; among the others, the one without parameters.
        ordered = sorted(latencies.of.items(), key=lambda each: (each[0] == _EVERY, "{" in each[0]))
        self._drawn = [_Drawn(key, distribution, latencies) for key, distribution in ordered]

    def latency_s(self, method: str, path: str) -> float | None:
        """The next latency of the operation that this request is for; None for one without."""
        for drawn in self._drawn:
            if drawn.covers(method, path):
                return drawn.next_s()
        return None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        arrived_s = asyncio.get_running_loop().time()
        latency_s = self.latency_s(scope["method"], scope["path"]) if _is_http(scope) else None
        if latency_s is None:
            await self._app(scope, receive, send)
            return
        due_s = arrived_s + latency_s

        async def send_when_due(message: Message) -> None:
            if message["type"] == "http.response.start":
                await _until(due_s)
            await send(message)

        await self._app(scope, receive, send_when_due)


def _is_http(scope: Scope) -> bool:
    return bool(scope["type"] == "http")


async def _until(due_s: float) -> None:
    """Waits for this time of the running loop's clock."""
    clock = asyncio.get_running_loop().time
    if (rest_s := due_s - clock() - _WAKES_LATE_S) > 0:
        await asyncio.sleep(rest_s)
    while clock() < due_s:  # noqa: ASYNC110 - the clock sets no event
        await asyncio.sleep(0)
