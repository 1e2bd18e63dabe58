"""The markers `performance` and `security`, checked when the tests are collected."""

from collections.abc import Generator
from typing import TYPE_CHECKING

import pytest

from withstand.errors import UsageError

if TYPE_CHECKING:
    from withstand.slo.objective import Objective


def pytest_configure(config: pytest.Config) -> None:
    """Registers the markers, so that strict_markers accepts them."""
    config.addinivalue_line(
        "markers",
        "performance(p50=, p95=, p99=, max_error_rate=): a test of how fast the API answers. With "
        'limits (p95="200ms", p95_ms=200, max_error_rate="1%") its body, or what it gives to the '
        "fixture latency, is repeated until they are met or breached for certain. Such tests never "
        "overlap each other under pytest-xdist.",
    )
    config.addinivalue_line("markers", "security: a test of what the API refuses, hides or limits.")


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """Turns a marker with bad arguments into an error of its file, also from a parametrization."""
    report = yield
    if report.passed:
        problems: dict[str, None] = {}  # as an ordered set: a parametrized test says it once
        for node in report.result:
            if isinstance(node, pytest.Item) and is_performance(node):
                try:
                    _check_objectives(node)
                except UsageError as error:
                    problems[f"{_place(node)}: {error}"] = None
        if problems:
            report.outcome = "failed"
            report.longrepr = "\n".join(problems)
    return report


def is_performance(item: pytest.Item) -> bool:
    """Whether a test carries the marker `performance`."""
    return item.get_closest_marker("performance") is not None


def asks_for_latency(item: pytest.Item) -> bool:
    """Whether a test asks for the fixture `latency`, also through another fixture."""
    return "latency" in getattr(item, "fixturenames", ())


def is_timed(item: pytest.Item) -> bool:
    """Whether a test is about time, so that no other such test may run beside it."""
    return is_performance(item) or asks_for_latency(item)


def objectives_of(item: pytest.Item) -> "dict[str, Objective]":
    """The objectives of a test by name, of the closest marker first. Raises UsageError."""
    marks = [mark for mark in item.iter_markers("performance") if mark.args or mark.kwargs]
    if not marks:
        return {}
    from withstand.pytest_plugin.objectives import parse_objectives

    merged: dict[str, Objective] = {}
    for mark in marks:
        if mark.args:
            raise UsageError(
                f"performance takes keywords, not {', '.join(map(repr, mark.args))}",
                hint='write it as @pytest.mark.performance(p95="200ms")',
            )
        merged = {**parse_objectives(mark.kwargs), **merged}
    return merged


def _check_objectives(item: pytest.Item) -> None:
    if objectives_of(item) and not asks_for_latency(item) and not _is_repeatable(item):
        raise UsageError(
            "performance can measure only a plain test function, and this is an async or a "
            "unittest one: its limits would never fail",
            hint="make it a plain function with the fixture api_client, or drop the limits",
        )


def _is_repeatable(item: pytest.Item) -> bool:
    from inspect import isasyncgenfunction, iscoroutinefunction
    from unittest import TestCase

    return (
        isinstance(item, pytest.Function)
        and not iscoroutinefunction(item.obj)
        and not isasyncgenfunction(item.obj)
        and not (item.cls is not None and issubclass(item.cls, TestCase))
    )


def _place(item: pytest.Item) -> str:
    return item.nodeid.split("[", 1)[0]
