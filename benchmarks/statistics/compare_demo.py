"""How often `withstand compare` finds the demo slower than itself, over real sockets and restarts.

    python -m benchmarks.statistics.compare_demo [--trials 20] [--minutes 60] [--slower 0 10 20]

Each trial is one whole `withstand compare` with restarts of `withstand.demo`, whose latency is
drawn from a known distribution. The trials of the changes alternate, so that a run that is cut off
by --minutes has as many of each. The defaults are those of `withstand compare`; with fewer restarts
or requests and a smaller --sigma a trial is shorter and about as precise.
"""

import argparse
import contextlib
import io
import json
import os
import shlex
import signal
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from statistics import fmean
from typing import Any

from benchmarks.statistics import quick_demo
from benchmarks.statistics.quick_demo import serve_forks

from withstand.cli import run

LAUNCHER = Path(quick_demo.__file__)
SOCKET = "forks"
OPERATION = "GET /health"  # the least work of its own, so that the drawn latency is all of it


def main() -> None:
    asked = _asked()
    end_s = time.monotonic() + 60 * asked.minutes
    found: dict[int, list[dict[str, Any]]] = {slower: [] for slower in asked.slower}
    with tempfile.TemporaryDirectory() as name:
        forks = serve_forks(Path(name) / SOCKET)
        try:
            for _ in range(asked.trials):
                for slower, trials in found.items():
                    if time.monotonic() > end_s:
                        break
                    trials.append(trial(slower, Path(name), asked))
                    say(f"+{slower} %: {trials[-1]['headline']}")
        finally:
            os.kill(forks, signal.SIGTERM)
    say(f"\n{asked.restarts} x {asked.blocks} x {asked.requests}, {latency(asked)}\n")
    say("| B is slower by | trials | indicator | slower | not slower | undecided | mean change |")
    say("|---|---|---|---|---|---|---|")
    for slower, trials in found.items():
        for indicator in ("p50", "p95"):
            rows = [
                each
                for one in trials
                for each in one["differences"]
                if each["indicator"] == indicator
            ]
            if rows:
                say(_row(slower, indicator, rows))


def trial(slower: int, folder: Path, asked: argparse.Namespace) -> dict[str, Any]:
    """The JSON of one comparison, the servers of which are forks of the one in this folder."""
    file = folder / "found.json"

    def serve(name: str, *more: str) -> str:
        launcher = (sys.executable, "-S", str(LAUNCHER), str(folder / SOCKET))
        data = ("--data", str(folder / name))
        return shlex.join(
            [*launcher, "--port", "{port}", "--latency", latency(asked), *data, *more]
        )

    with contextlib.redirect_stdout(io.StringIO()):
        code = run(
            [
                *("compare", "-q", "--start-a", serve("a")),
                *("--start-b", serve("b", "--slower", f"{slower}%"), "-o", OPERATION),
                *("--restarts", str(asked.restarts), "--blocks", str(asked.blocks)),
                *("--requests", str(asked.requests), "--json", str(file)),
            ]
        )
    if code not in {0, 1}:
        sys.exit(f"withstand compare ended with {code}")
    document: dict[str, Any] = json.loads(file.read_text())
    return document


def latency(asked: argparse.Namespace) -> str:
    return f"{OPERATION}: lognormal {asked.median_ms:g}ms {asked.sigma:g}"


def _row(slower: int, indicator: str, rows: list[dict[str, Any]]) -> str:
    states = Counter(each["state"] for each in rows)
    changes = [each["change"] for each in rows if each["change"] is not None]
    cells = (
        f"{slower} %",
        str(len(rows)),
        indicator,
        *(str(states[state]) for state in ("worse", "no worse", "undecided")),
        f"{100 * fmean(changes):+.1f} %",
    )
    return f"| {' | '.join(cells)} |"


def _asked() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--trials", type=int, default=20)
    parser.add_argument("--minutes", type=float, default=60, help="begin no trial after this")
    parser.add_argument("--slower", type=int, nargs="+", default=[0, 10, 20], help="in percent")
    parser.add_argument("--restarts", type=int, default=10)
    parser.add_argument("--blocks", type=int, default=4)
    parser.add_argument("--requests", type=int, default=100)
    parser.add_argument("--median-ms", type=float, default=20)
    parser.add_argument("--sigma", type=float, default=0.4)
    return parser.parse_args()


def say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
