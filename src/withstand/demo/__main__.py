"""`python -m withstand.demo`: serve the demo API until told to stop."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from withstand.demo.capacity import Capacity
from withstand.demo.flaws import FLAWS, UnknownFlawError, plant
from withstand.demo.latency import parse_latencies
from withstand.demo.server import DEFAULT_PORT, CannotServeError, serve

EXIT_USAGE = 2


def main(arguments: Sequence[str] | None = None) -> int:
    asked = _parser().parse_args(arguments)
    try:
        capacity = None
        if asked.capacity is not None:
            capacity = Capacity(
                per_s=asked.capacity, workers=asked.workers, random_times=asked.random_times
            )
        serve(
            port=asked.port,
            http_port=asked.http_port,
            https=asked.https,
            planted=plant(asked.flaws.split(",")),
            capacity=capacity,
            latencies=parse_latencies(asked.latency, slower=asked.slower, seed=asked.latency_seed),
            data=asked.data,
            ready_file=asked.ready_file,
        )
    except (CannotServeError, UnknownFlawError, ValueError) as error:
        sys.stderr.write(f"{error}\n")
        return EXIT_USAGE
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m withstand.demo",
        description="Serves a small shop API on this machine, for load and security tests.",
        epilog="flaws:\n" + "\n".join(f"  {flaw.name:<31} {flaw.title}" for flaw in FLAWS),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--port", type=int, default=DEFAULT_PORT, help=f"0 for a free one (default {DEFAULT_PORT})"
    )
    parser.add_argument("--https", action="store_true", help="serve TLS, and redirect plain HTTP")
    parser.add_argument(
        "--http-port", type=int, help="with --https: where plain HTTP listens (default: port + 1)"
    )
    parser.add_argument("--flaws", default="", help='names with commas between, or "all"')
    parser.add_argument(
        "--capacity", type=float, help="serve no more than this many requests a second"
    )
    parser.add_argument(
        "--workers", type=int, default=4, help="with --capacity: served at once (default 4)"
    )
    parser.add_argument(
        "--random-times", action="store_true", help="with --capacity: exponential service times"
    )
    parser.add_argument(
        "--latency",
        action="append",
        default=[],
        metavar="LINE",
        help="known latencies, repeatable: "
        + '"GET /users: lognormal 20ms 0.5", "*: bimodal 5ms 80ms 10%%", "*: fixed 5ms"',
    )
    parser.add_argument(
        "--slower", metavar="SHARE", help="with --latency: so much longer each, such as 10%%"
    )
    parser.add_argument(
        "--latency-seed", help="with --latency: draw the same ones after every start"
    )
    parser.add_argument("--data", type=Path, help="keep the shop here (default: a temporary place)")
    parser.add_argument("--ready-file", type=Path, help="write the ready line here too")
    return parser


if __name__ == "__main__":
    sys.exit(main())
