"""The careful builds, scanned again and again: with a good network and with a bad one.

    python -m benchmarks.scan.silence [times]

Each run on the bad network has its own seed: 5 % of the answers are late, 1 % are 503, 0.5 % are
429 by chance, and whatever is above a rate that differs from run to run is 429 too.
"""

import sys
from collections import Counter
from dataclasses import asdict, dataclass

from benchmarks.scan.apis import APIS, running
from benchmarks.scan.one_scan import Scanned, scanned
from benchmarks.scan.results import keep
from tests.scan.noisy_proxy import Noise, noisy

_TIMES = 20
_LIMITS = (300, 150, 100, 60)  # requests a second


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """What scans of one careful build found."""

    api: str
    network: str  # good | bad
    scans: int
    findings: int
    void: int
    requests: tuple[int, ...]
    seconds: tuple[float, ...]
    undecided: tuple[int, ...]  # tests that could not tell, of each scan


def series_of(api: str, times: int, *, bad: bool) -> Series:
    """Scans one API again and again, as it was left by the scan before."""
    scans: list[Scanned] = []
    with running(api) as served:
        for seed in range(times):
            if not bad:
                scans.append(scanned(served.config, profile="ci"))
            else:
                noise = Noise(
                    slow_s=0.2,
                    refused=0.005,
                    limit=_LIMITS[seed % len(_LIMITS)],
                    retry_after=seed % 2 == 0,
                    seed=seed,
                )
                with noisy(served.url, noise) as proxy:
                    scans.append(scanned(served.through(proxy.port), profile="ci"))
            _say(api, seed, scans[-1])
    return Series(
        api=api,
        network="bad" if bad else "good",
        scans=times,
        findings=sum(len(scan.findings) for scan in scans),
        void=sum(scan.record.void is not None for scan in scans),
        requests=tuple(scan.record.requests for scan in scans),
        seconds=tuple(round(scan.record.duration_s, 2) for scan in scans),
        undecided=tuple(_states(scan)["inconclusive"] for scan in scans),
    )


def _states(scan: Scanned) -> Counter[str]:
    return Counter(row.state.value for row in scan.record.coverage)


def _say(api: str, seed: int, scan: Scanned) -> None:
    print(  # noqa: T201 - a script
        api, seed, scan.findings, scan.record.void or "", scan.record.requests,
        f"{scan.record.duration_s:.1f} s", dict(_states(scan)), flush=True,
    )  # fmt: skip


def main(times: int) -> int:
    found = [series_of(api, times, bad=bad) for bad in (False, True) for api in APIS]
    keep("silence", [asdict(each) for each in found])
    return 0 if not any(each.findings or each.void for each in found) else 1


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else _TIMES))
