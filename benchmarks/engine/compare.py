"""Withstand's engine and other load generators, side by side on this machine.

    python benchmarks/engine/compare.py                   all rows, about 20 minutes
    python benchmarks/engine/compare.py --quick           that everything runs, in 3 minutes
    python benchmarks/engine/compare.py --only mix tls    these rows again; the others stay

Results go to results.json beside this file, or where --results says, after every row; the page to
docs/performance.md. See README.md.
"""

# ruff: noqa: T201 - it prints what it does

import argparse
import json
import platform
import tempfile
import time
from importlib.metadata import version
from pathlib import Path
from typing import Any

import machine
from experiments import ROWS, Occasion
from nginx import RunningNginx, installed, stay_with_the_server
from page import page

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
RESULTS = HERE / "results.json"
ENDURANCE = HERE / "endurance.json"
PAGE = ROOT / "docs" / "performance.md"


def main() -> None:
    """Run the rows and write what they found."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=5, help="runs of each generator")
    parser.add_argument("--seconds", type=float, default=4, help="the window of a run")
    parser.add_argument("--only", nargs="+", metavar="ROW", choices=ROWS, help=", ".join(ROWS))
    parser.add_argument("--quick", action="store_true", help="one round of one second")
    parser.add_argument("--results", type=Path, default=RESULTS, metavar="FILE")
    parser.add_argument("--page", type=Path, default=PAGE, metavar="FILE")
    parser.add_argument(
        "--page-only", action="store_true", help="write the page of results that are there"
    )
    options = parser.parse_args()
    results = _earlier(options.results) if options.only or options.page_only else {"rows": {}}
    if options.page_only:
        _write(results, options)
        return
    machine.require("taskset", "wrk", "ab", "hey", packages="nginx-light wrk apache2-utils hey")
    if options.quick:
        options.rounds, options.seconds = 1, 1.0
    stay_with_the_server()
    today = time.strftime("%Y-%m-%d")
    parts = sorted({*results.get("machine", {}).get("parts", []), today})
    results["machine"] = {
        **machine.described(_versions()),
        "date": today,
        "parts": parts,
        "rounds": options.rounds,
        "seconds": options.seconds,
        "quick": options.quick,
    }
    began_s = time.monotonic()
    with RunningNginx() as nginx, tempfile.TemporaryDirectory() as folder:
        for name in options.only or ROWS:
            print(f"{name} ({time.monotonic() - began_s:.0f} s)", flush=True)
            occasion = Occasion(
                nginx=nginx,
                folder=Path(folder),
                rounds=options.rounds,
                seconds=options.seconds,
                quick=options.quick,
                say=lambda line: print(line, flush=True),
            )
            try:
                results["rows"][name] = ROWS[name](occasion)
            except Exception as problem:  # whatever it is, the other rows still run
                print(f"  FAILED: {problem}", flush=True)
                results["rows"][name] = {"failed": f"{problem or type(problem).__name__}"}
            _write(results, options)
    print(f"{time.monotonic() - began_s:.0f} s; wrote {options.page}")


def _earlier(file: Path) -> dict[str, Any]:
    if not file.is_file():
        raise SystemExit(f"{file} is not there yet; run without --only and --page-only first")
    found: dict[str, Any] = json.loads(file.read_text())
    return found


def _write(results: dict[str, Any], options: argparse.Namespace) -> None:
    text = json.dumps(results, indent=1).replace(f"{ROOT}/", "")  # paths in what failed
    options.results.write_text(text + "\n")
    endurance = json.loads(ENDURANCE.read_text()) if ENDURANCE.is_file() else None
    options.page.write_text(page(json.loads(text), endurance))


def _versions() -> dict[str, str]:
    return {
        "Withstand": version("withstand"),
        "Python": platform.python_version(),
        "uvloop": version("uvloop"),
        "httptools": version("httptools"),
        "nginx": machine.said(str(installed()), "-v"),
        "wrk": machine.said("wrk", "-v"),
        "ab": machine.said("ab", "-V"),
        "Locust": version("locust"),
    }


if __name__ == "__main__":
    main()
