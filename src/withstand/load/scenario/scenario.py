"""What is sent: rendered requests with weights. Pure."""

import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import accumulate
from math import gcd

from withstand.client.exchange import Request
from withstand.client.target import Target
from withstand.client.wire_format import as_forwarded
from withstand.errors import UsageError
from withstand.load.scenario.expectation import Expectation
from withstand.load.scenario.feed_table import FeedTable
from withstand.load.scenario.template import Template

_TABLE_SIZE = 4096


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One operation's request, rendered to the bytes that go on the wire, or to templates that the
    scenario's feeds fill.

    `variants` are taken in turn, so that every identity (and every example value) gets its share.
    `expected` are the statuses that are no error; None accepts 2xx and 3xx. `expectation` is what
    else the response must be like. With `follow_redirects` a redirect on the target is a part of
    the request, whose times then span all hops.
    """

    operation: str
    variants: tuple[bytes, ...] | tuple[Template, ...]
    weight: float = 1.0
    expected: frozenset[int] | None = None
    expectation: Expectation | None = None
    follow_redirects: bool = False
    head: bool = False

    def __post_init__(self) -> None:
        if not self.variants:
            raise UsageError(f"{self.operation} has no rendered request")
        if not self.weight > 0:
            raise UsageError(
                f"{self.operation} has weight {self.weight:g}", hint="give a weight above zero"
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """The mix of calls, and the feeds of their templates. Raises UsageError without any call.

    A part of a scenario takes every `step`-th place of the whole's order, from the `first` on, and
    every `step`-th row of its feeds.
    """

    calls: tuple[Call, ...]
    seed: int = 1
    feeds: Mapping[str, FeedTable] = field(default_factory=dict)
    first: int = 0
    step: int = 1

    def __post_init__(self) -> None:
        if not self.calls:
            raise UsageError(
                "the scenario has no request to send",
                hint="name at least one operation, such as GET /users",
            )

    def part(self, number: int, of: int) -> "Scenario":
        """What one (1-based) of several sends, each every `of`-th request of the whole in turn.

        So what all of them send together is the mix of the whole, and no two of them send the same
        operation in step, or as the same identity.
        """
        skipped = self.step * (number - 1)
        return replace(
            self,
            calls=tuple(_turned(call, skipped) for call in self.calls),
            first=self.first + skipped,
            step=self.step * of,
        )

    def order(self) -> tuple[int, ...]:
        """Indices into `calls` in the order of sending, to be repeated: each as often as its
        weight says (to one place of the table), shuffled by the seed.
        """
        table = self._table()
        size = len(table)
        return tuple(
            table[(self.first + index * self.step) % size]
            for index in range(size // gcd(self.step, size))
        )

    def _table(self) -> tuple[int, ...]:
        if len(self.calls) == 1:
            return (0,)
        size = max(_TABLE_SIZE, len(self.calls))
        edges = list(accumulate(call.weight for call in self.calls))
        table: list[int] = []
        for index, edge in enumerate(edges):
            # Every call has a place, however small its weight.
            places = max(round(edge / edges[-1] * size) - len(table), 1)
            table += [index] * places
        random.Random(self.seed).shuffle(table)  # noqa: S311 - a mix, no secrets
        return tuple(table)


def _turned(call: Call, by: int) -> Call:
    by %= max(len(call.variants), 1)  # a template has none
    return replace(call, variants=(*call.variants[by:], *call.variants[:by])) if by else call


def rendered(request: Request, target: Target) -> bytes:
    """The request as HTTP/1.1 bytes: Host, Content-Length and a User-Agent are added when absent.

    Nothing else is changed, but for what a proxy needs: a request carries its whole path, the
    target's base path included.
    """
    request = as_forwarded(request, target)
    lines = [f"{request.method} {request.path} HTTP/1.1"]
    if request.header("host") is None:
        lines.append(f"Host: {target.authority}")
    if request.header("user-agent") is None:
        lines.append("User-Agent: withstand")
    lines += [f"{name}: {value}" for name, value in request.headers]
    framed = request.header("content-length") or request.header("transfer-encoding")
    if framed is None and (request.body or request.method in {"POST", "PUT", "PATCH"}):
        lines.append(f"Content-Length: {len(request.body)}")
    return "\r\n".join((*lines, "", "")).encode("utf-8", "surrogateescape") + request.body


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Requests of one operation before rendering: one per identity, or one per example."""

    operation: str
    requests: tuple[Request, ...]
    weight: float = 1.0
    expected: frozenset[int] | None = None


def scenario_from_requests(
    plans: Iterable[Plan] | Sequence[tuple[str, Request]],
    target: Target,
    *,
    seed: int = 1,
    keep_alive: bool = True,
    follow_redirects: bool = False,
) -> Scenario:
    """The scenario of plans, or of plain (operation, request) pairs of equal weight.

    Without `keep_alive` each request asks for its connection to be closed. Raises UsageError when
    there is nothing to send, or when an operation's requests mix HEAD with other methods.
    """
    calls = []
    for item in plans:
        plan = item if isinstance(item, Plan) else Plan(operation=item[0], requests=(item[1],))
        methods = {request.method for request in plan.requests}
        if "HEAD" in methods and len(methods) > 1:
            raise UsageError(f"{plan.operation} mixes HEAD with other methods")
        if not keep_alive:
            closing = tuple(each.with_header("Connection", "close") for each in plan.requests)
            plan = replace(plan, requests=closing)
        calls.append(
            Call(
                operation=plan.operation,
                variants=tuple(rendered(request, target) for request in plan.requests),
                weight=plan.weight,
                expected=plan.expected,
                follow_redirects=follow_redirects,
                head=methods == {"HEAD"},
            )
        )
    return Scenario(calls=tuple(calls), seed=seed)
