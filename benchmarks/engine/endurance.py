"""Does the engine's memory stay flat? 20,000 requests a second for half an hour, PSS every 10 s.

    python benchmarks/engine/endurance.py                 30 minutes
    python benchmarks/engine/endurance.py --minutes 0.5   that it runs

The result goes to endurance.json beside this file, which compare.py puts into its page.
"""

# ruff: noqa: T201 - it prints what it does

import argparse
import json
import sys
import time
from pathlib import Path

from compare import ENDURANCE, HERE
from experiments import slope_per_million
from generator import Generator
from nginx import RunningNginx, stay_with_the_server

WARM_UP_SHARE = 0.1


def main() -> None:
    """Run, sample, judge."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--rate", type=int, default=20_000, help="requests per second")
    parser.add_argument("--every", type=float, default=10, metavar="SECONDS")
    parser.add_argument("--result", type=Path, default=ENDURANCE, metavar="FILE")
    options = parser.parse_args()
    stay_with_the_server()
    lasts_s = options.minutes * 60
    samples: list[tuple[float, int, int]] = []
    with RunningNginx() as nginx:
        command = [sys.executable, str(HERE / "generate.py"), "open", nginx.url, "--mix", "--rate",
                   str(options.rate), "--seconds", f"{lasts_s:g}"]  # fmt: skip
        began_s = time.monotonic()
        with Generator(command) as generator:
            while generator.running and time.monotonic() - began_s < lasts_s:
                time.sleep(min(options.every, lasts_s / 10))
                pss_bytes = generator.pss_bytes()
                if pss_bytes:
                    at_s = time.monotonic() - began_s
                    samples.append((at_s, nginx.answered(), pss_bytes))
                    print(
                        f"{at_s:7.0f} s {samples[-1][1]:12,} requests {pss_bytes / 1e6:7.2f} MB",
                        flush=True,
                    )
            said = json.loads(generator.output(60))
        seen = nginx.answered()
    steady = [
        (requests, size)
        for at_s, requests, size in samples
        if lasts_s * WARM_UP_SHARE < at_s < lasts_s
    ]
    result = {
        "date": time.strftime("%Y-%m-%d"),
        "minutes": options.minutes,
        "rate_per_s": options.rate,
        "requests": said["requests"],
        "seen": seen,
        "errors": said["errors"],
        "send_lag_us": said["send_lag_us"],
        "first_bytes": steady[0][1],
        "last_bytes": steady[-1][1],
        "bytes_per_million": slope_per_million(steady),
        "samples": samples,
    }
    options.result.write_text(json.dumps(result, indent=1) + "\n")
    print(
        f"{result['bytes_per_million'] / 1e6:+.3f} MB per million requests over "
        f"{options.minutes:g} minutes; wrote {options.result}"
    )


if __name__ == "__main__":
    main()
