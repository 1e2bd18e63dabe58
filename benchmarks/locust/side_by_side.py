"""Locust as it is, and Locust with Withstand in it, with the same unmodified locustfiles.

    python benchmarks/locust/side_by_side.py                      all rows, about 25 minutes
    python benchmarks/locust/side_by_side.py --only page memory   these again; the others stay
    python benchmarks/locust/side_by_side.py --rounds 1 --seconds 2   that everything runs

Results go to results.json beside this file after every row, and to docs/locust-performance.md. See
README.md.
"""

# ruff: noqa: E402, I001, T201 - it prints what it does; the engine's benchmarks are found first

import argparse
import json
import os
import platform
import sys
import tempfile
import time
from importlib.metadata import version
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
sys.path.append(str(ROOT / "benchmarks" / "engine"))

import machine
from contest import contest
from memory import memory
from nginx import Nginx, RunningNginx, installed, stay_with_the_server
from report import report, table
from rows import ROWS, contestants

NAMES = (*ROWS, "memory")


def main() -> None:
    """Run the rows and write what they found."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=5, help="runs of each variant")
    parser.add_argument("--seconds", type=float, default=5, help="the window of a run")
    parser.add_argument("--only", nargs="+", metavar="ROW", choices=NAMES, help=", ".join(NAMES))
    parser.add_argument("--results", type=Path, default=HERE / "results.json", metavar="FILE")
    parser.add_argument(
        "--page", type=Path, default=ROOT / "docs" / "locust-performance.md", metavar="FILE"
    )
    parser.add_argument(
        "--page-only", action="store_true", help="write the page of results that are there"
    )
    options = parser.parse_args()
    results: dict[str, Any] = {"rows": {}}
    if (options.only or options.page_only) and options.results.is_file():
        results = json.loads(options.results.read_text())
    if options.page_only and not results["rows"]:
        raise SystemExit(f"{options.results} is not there yet; run the rows first")
    if not options.page_only:
        _run(options, results)
        print("\n".join(table(results["rows"])))
    _write(results, options)
    print(f"wrote {options.page}")


def _run(options: argparse.Namespace, results: dict[str, Any]) -> None:
    machine.require("taskset", packages="nginx-light")
    stay_with_the_server()
    results["machine"] = {
        **machine.described(_versions()),
        "rounds": options.rounds,
        "seconds": options.seconds,
    }
    began_s = time.monotonic()
    with RunningNginx() as nginx, tempfile.TemporaryDirectory() as folder:
        os.environ["WITHSTAND_BENCH_CA"] = str(nginx.ca_file)  # for the locustfiles
        for name in options.only or NAMES:
            print(f"{name} ({time.monotonic() - began_s:.0f} s)", flush=True)
            try:
                results["rows"][name] = _row(name, nginx, Path(folder), options)
            except Exception as problem:  # whatever it is, the other rows still run
                print(f"  FAILED: {problem}", flush=True)
                results["rows"][name] = {"failed": f"{problem or type(problem).__name__}"}
            _write(results, options)


def _row(name: str, nginx: Nginx, folder: Path, options: argparse.Namespace) -> dict[str, Any]:
    if name == "memory":
        return memory(nginx, rounds=options.rounds, say=_say)
    both = contestants(ROWS[name], nginx, folder)
    done = contest(both, nginx, rounds=options.rounds, seconds=options.seconds, say=_say)
    return {"rounds": done}


def _say(line: str) -> None:
    print(line, flush=True)


def _versions() -> dict[str, str]:
    packages = {"Withstand": "withstand", "Locust": "locust", "gevent": "gevent",
                "requests": "requests", "geventhttpclient": "geventhttpclient"}  # fmt: skip
    return {
        **{name: version(package) for name, package in packages.items()},
        "Python": platform.python_version(),
        "nginx": machine.said(str(installed()), "-v"),
    }


def _write(results: dict[str, Any], options: argparse.Namespace) -> None:
    text = json.dumps(results, indent=1).replace(f"{ROOT}/", "")  # paths in what failed
    options.results.write_text(text + "\n")
    options.page.write_text(report(json.loads(text)))


if __name__ == "__main__":
    main()
