"""What the benchmark of locustfiles makes of its results, and that its files are what they say."""

import ast
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from tests.seed.page import python_blocks

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"
MACHINE = {"cpus": 2, "processor": "a processor", "system": "Linux", "rounds": 2, "seconds": 5,
           "versions": {"Withstand": "1"}}  # fmt: skip


@pytest.fixture
def benchmark(monkeypatch: pytest.MonkeyPatch) -> Any:
    """`benchmark("report")` is that module of benchmarks/locust, which are scripts, no package."""
    monkeypatch.syspath_prepend(BENCHMARKS / "engine")
    monkeypatch.syspath_prepend(BENCHMARKS / "locust")

    def module(name: str) -> ModuleType:
        monkeypatch.delitem(sys.modules, name, raising=False)
        return __import__(name)

    return module


def run(cpu_us: float, requests_per_s: float) -> dict[str, Any]:
    return {"requests_per_s": requests_per_s, "cpu_us": cpu_us, "generator_busy": 0.99,
            "server_busy": 0.5, "seen": 1000, "said": 990}  # fmt: skip


FAILED = {"failed": "it ended | early"}


def test_the_page_holds_ratios_against_targets(benchmark: Any) -> None:
    rows = {
        "page": {"rounds": [{"stock": run(1000, 900), "withstand": run(40, 20_000)}] * 2},
        "fast": {"rounds": [{"stock": run(400, 2_000), "withstand": run(100, 8_000)}]},
        "tls": {"rounds": [{"stock": run(1000, 900), "withstand": run(500, 1_800)}]},
        "body": {"rounds": [{"stock": FAILED, "withstand": run(500, 1_800)}]},
        "nested": {"failed": "no nginx"},
    }
    text = benchmark("report").report({"machine": MACHINE, "rows": rows})
    lines = {line.split(" | ")[0]: line for line in text.splitlines() if line.startswith("| ")}
    assert "| 1,000 | 25,000 | 25.00 (25.00 to 25.00) |" in lines["| the page's locustfile"]
    assert "| 20 | yes | 10 off |" in lines["| the page's locustfile"]
    assert "| 4.5 | **no** |" in lines["| weighted tasks and rest()"]
    assert "|  |  | 10 off |" in lines["| one GET over TLS"]
    assert "stock failed: it ended / early | " in lines["| a body of 10 kB"]
    assert "no nginx" in lines["| nested task sets"]
    assert len({line.count("|") for line in lines.values()}) == 1


def test_memory_is_given_for_each_user_more(benchmark: Any) -> None:
    both = {"stock": {"per_user_bytes": 40_000.0}, "withstand": {"per_user_bytes": 10_000.0}}
    row = {"few": 10, "many": 1000, "rounds": [{"HttpUser": both, "FastHttpUser": {
        "stock": FAILED, "withstand": FAILED}}]}  # fmt: skip
    text = benchmark("report").report({"machine": MACHINE, "rows": {"memory": row}})
    assert "| HttpUser | 40.00 (40.00 to 40.00) | 10.00 (10.00 to 10.00) | 0.25 " in text
    assert "| FastHttpUser | stock failed: it ended / early | | |" in text


def test_every_row_names_a_class_of_a_file_that_is_there(benchmark: Any) -> None:
    rows = benchmark("rows")
    for row in rows.ROWS.values():
        assert f"class {row.user}(" in (rows.FILES / row.file).read_text()


def test_a_run_in_which_locust_counts_a_failure_is_none(benchmark: Any, tmp_path: Path) -> None:
    statistics = tmp_path / "stock.json"
    count = benchmark("rows")._counter(statistics)
    statistics.write_text('[{"num_requests": 3, "num_failures": 0}]')
    assert count("") == 3
    statistics.write_text('[{"num_requests": 3, "num_failures": 1}]')
    with pytest.raises(ValueError, match="1 of its requests failed"):
        count("")


def test_the_pages_locustfile_is_the_pages() -> None:
    (block,) = (block for block in python_blocks() if "class ApiUser(HttpUser)" in block)
    ours = (BENCHMARKS / "locust" / "files" / "page.py").read_text()

    def classes(text: str) -> list[str]:
        return [ast.dump(node) for node in ast.parse(text).body if isinstance(node, ast.ClassDef)]

    assert classes(ours) == classes(block)
