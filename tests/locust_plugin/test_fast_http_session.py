"""Users of FastHttpUser see the same with our client as with Locust's own, and so do servers."""

import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock

from withstand.locust_plugin.versions import numbers_of

from .fast_http_more_cases import CASES, LEFT_TO_LOCUST

Results = dict[str, dict[str, Any]]
_ROOT = Path(__file__).parents[2]


def _run(variant: str, folder: Path) -> Results:
    folder.mkdir()
    command = [sys.executable, "-m", f"{__package__}.fast_http_driver", variant, str(folder)]
    done = subprocess.run(
        command, cwd=_ROOT, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    results: Results = json.loads(done.stdout)
    return results


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> dict[str, Results]:
    """What was seen with Locust's own client and with ours. A run's workers share one look."""
    own = tmp_path_factory.getbasetemp()
    folder = own if worker_id == "master" else own.parent
    kept = folder / "fast_http_session.json"
    with FileLock(folder / "fast_http_session.lock"):
        if not kept.exists():
            certificates = tmp_path_factory.mktemp("certificates")
            variants = ("stock", "ours")
            with ThreadPoolExecutor() as threads:
                both = threads.map(_run, variants, [certificates / each for each in variants])
                kept.write_text(json.dumps(dict(zip(variants, both, strict=True))))
    found: dict[str, Results] = json.loads(kept.read_text())
    return found


# Answers that libraries read differently are left to Locust's own client with their connection.
_CONNECTION_NOT_KEPT = {"interim"}


@pytest.mark.parametrize("case", CASES)
def test_same_as_locust(results: dict[str, Results], case: str) -> None:
    stock, ours = results["stock"][case], results["ours"][case]

    if case in _CONNECTION_NOT_KEPT:
        for each in (stock["observed"], ours["observed"]):
            each["wire"] = [
                [request for connection in server for request in connection]
                for server in each["wire"]
            ]
    assert ours["observed"] == stock["observed"]


# Older Locusts send such an address as it is, stop no redirects, and rename nothing.
_LEFT_TO_OLDER_LOCUSTS = {
    "unicode_path",
    "renamed",
    *(f"redirect_{code}_not_followed" for code in (301, 302, 303, 307, 308)),
}


def test_plain_requests_take_the_short_way(results: dict[str, Results]) -> None:
    left = {case for case, ours in results["ours"].items() if ours["ways"] != ["fast"]}

    is_older = numbers_of(version("locust")) < (2, 47)
    assert left == LEFT_TO_LOCUST | (_LEFT_TO_OLDER_LOCUSTS if is_older else set())


def test_every_event_has_the_times_of_its_request(results: dict[str, Results]) -> None:
    for case, ours in results["ours"].items():
        assert len(ours["timings"]) == len(ours["observed"]["events"]), case
        assert all(ours["timings"]), case


def test_every_request_is_counted_as_started(results: dict[str, Results]) -> None:
    for case, ours in results["ours"].items():
        assert ours["started"] >= len(ours["observed"]["events"]), case
