"""What the benchmarks make of their results: which promises are kept, and the page."""

import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

FOLDER = Path(__file__).parents[1] / "benchmarks" / "engine"


@pytest.fixture
def benchmark(monkeypatch: pytest.MonkeyPatch) -> Any:
    """`benchmark("page")` is that module of benchmarks/engine, which are scripts, no package."""
    monkeypatch.syspath_prepend(FOLDER)

    def module(name: str) -> ModuleType:
        monkeypatch.delitem(sys.modules, name, raising=False)
        return __import__(name)

    return module


def run(requests_per_s: float, cpu_us: float = 5.0, busy: float = 0.99) -> dict[str, Any]:
    return {
        "requests_per_s": requests_per_s,
        "cpu_us": cpu_us,
        "generator_busy": busy,
        "server_busy": 0.5,
        "seen": 1000,
        "said": 1000,
    }


def latency(what: str, true: float, reported: float, agreement: str) -> dict[str, Any]:
    ratio = reported / true if true else None
    return {"what": what, "unit": "ns", "true": true, "reported": reported, "ratio": ratio,
            "agreement": agreement}  # fmt: skip


MIX = {
    "rounds": [
        {"wrk with Lua": run(100, 8.0), "withstand": run(110, 7.0), "hey": run(40)},
        {"wrk with Lua": run(100, 8.0), "withstand": run(120, 7.0), "hey": {"failed": "gone"}},
        {"wrk with Lua": run(100, 8.0, busy=0.4), "withstand": run(30, 7.0), "hey": run(10)},
    ]
}
STALLS = {
    "sections": [
        {
            "title": "Stalls, 10 connections",
            "peer": None,
            "rows": [
                latency("p50", 0, 100_000, "agrees"),
                latency("p90", 500e6, 505e6, "agrees"),
                {"what": "requests sent", "unit": "count", "true": 6000, "reported": 6000},
            ],
        },
    ]
}
MACHINE = {
    "cpus": 2,
    "processor": "a processor",
    "system": "Linux",
    "versions": {"Withstand": "1"},
    "date": "2026-01-01",
    "rounds": 3,
    "seconds": 4,
    "quick": False,
}


def test_speed_is_compared_in_saturated_rounds_and_thrift_in_all(benchmark: Any) -> None:
    found = benchmark("targets").ratios(MIX, "withstand", "wrk with Lua")
    assert found.speed == (1.1, 1.2)
    assert len(found.thrift) == 3
    assert (found.saturated, found.rounds) == (2, 3)
    against_hey = benchmark("targets").ratios(MIX, "withstand", "hey")
    assert against_hey.speed == pytest.approx((2.75, 3.0))  # without the round that failed


def test_a_promise_is_kept_or_not_or_not_decided(benchmark: Any) -> None:
    lag = {"runs": [{"rate_per_s": 20_000, "send_lag_us": {"p99": 300.0}}]}
    rows = {"mix": MIX, "stalls": STALLS, "send-lag": lag, "scripts": {"failed": "no wrk"}}
    judged = {target.what: target for target in benchmark("targets").judged(rows, None)}
    assert judged["withstand: requests/s of wrk with Lua (mix)"].kept is True
    assert judged["withstand: requests/s of k6 (mix)"].found == "k6 is not on this machine"
    assert judged["withstand, async def: requests/s of wrk (scripts)"].found == "no wrk"
    assert judged["reported / true, stalls, 10 connections"].kept is True
    assert judged["send lag p99 at 20,000/s"].kept is False
    assert judged["30 minutes at 20,000/s"].kept is None


def test_latencies_that_could_not_be_told_keep_no_promise_and_break_none(benchmark: Any) -> None:
    for agreement, kept in (("cannot tell", None), ("off", False)):
        rows = [latency("p50", 0, 1e6, agreement), latency("p90", 5e8, 5e8, "agrees")]
        section = {"title": "Stalls, 10 connections", "peer": None, "rows": rows}
        (target,) = (
            target
            for target in benchmark("targets").judged({"stalls": {"sections": [section]}}, None)
            if target.what.startswith("reported")
        )
        assert target.kept is kept


@pytest.mark.parametrize("rows", [{}, {"mix": MIX, "stalls": STALLS}, {"mix": {"failed": "x | y"}}])
def test_there_is_a_page_of_whatever_was_measured(benchmark: Any, rows: dict[str, Any]) -> None:
    text = benchmark("page").page({"machine": MACHINE, "rows": rows}, None)
    assert "## Targets" in text
    tables = [line for line in text.splitlines() if line.startswith("|")]
    assert all(line.endswith("|") for line in tables)


def test_the_page_gives_median_and_extremes_and_what_could_not_be_run(benchmark: Any) -> None:
    results = {"machine": MACHINE, "rows": {"mix": MIX, "stalls": STALLS}}
    text = benchmark("page").page(results, None)
    assert (
        "| withstand / wrk with Lua | 1.15 (1.10 to 1.20) | 1.14 (1.14 to 1.14) | 2 of 3 |" in text
    )
    assert "| withstand, 10 connections | 0.10 ms | 1.010 | 6,000 |" in text
    assert "| yes |" in text
    assert "| not decided |" in text


def test_growth_is_the_slope_of_memory_over_requests(benchmark: Any) -> None:
    slope = benchmark("experiments").slope_per_million
    assert slope([(0, 50_000), (500_000, 300_000), (1_000_000, 550_000)]) == pytest.approx(500_000)
    with pytest.raises(Exception, match="too few"):
        slope([(7, 1), (7, 2)])


def test_both_generators_of_the_mix_send_the_same_requests(benchmark: Any, tmp_path: Path) -> None:
    generate, tools = benchmark("generate"), benchmark("tools")
    lua = tools.wrk_script(tmp_path).read_text()
    scenario = generate.mix("http://127.0.0.1:1")
    for call in scenario.calls:
        assert f'"{call.operation.split(" ")[1]}?page=' in lua
    order = lua.split("{ ")[1].split(" }")[0].split(", ")
    assert [order.count(str(index + 1)) for index in range(20)] == generate.weights()
