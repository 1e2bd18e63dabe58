"""Other load generators: how each is asked for the same test, and what it says. Pure.

Each is run as its users run it, for so many connections. Those with a rate are given the rate;
the others (ab, wrk) send as fast as answers come.
"""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

from withstand.errors import UsageError
from withstand.selftest.comparison import QUANTILES

_MS: Final = 1e6


@dataclass(frozen=True, slots=True, kw_only=True)
class Attack:
    """What a peer is to do."""

    url: str
    rate_per_s: float
    seconds: float
    connections: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """Commands to run one after the other, in a folder that holds these files."""

    commands: tuple[tuple[str, ...], ...]
    files: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What a peer reports: latencies in nanoseconds at the quantiles it knows, and its count."""

    quantiles_ns: Mapping[float, float]
    requests: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Peer:
    """A load generator. `sends_at_a_rate` is False for those that only send flat out;
    `warm_up_s` is what it sends, and leaves out of its figures, before its test begins.
    """

    name: str
    sends_at_a_rate: bool
    job: Callable[[Attack], Job]
    read: Callable[[str], Said]
    warm_up_s: float = 0.0


def peer_named(name: str) -> Peer:
    """Raises UsageError for a tool that is not known."""
    if name not in PEERS:
        raise UsageError(
            f"{name!r} is no load generator that the self-test can run",
            hint=f"known are {', '.join(sorted(PEERS))}",
        )
    return PEERS[name]


def _first_number(pattern: str, text: str) -> int | None:
    found = re.search(pattern, text)
    return int(found[1]) if found else None


# wrk prints only some percentiles; its scripts may ask for any.
_WRK_SCRIPT: Final = "".join(
    (
        "done = function(summary, latency, requests)\n",
        *(
            f'  io.write("quantile {q:g} ", latency:percentile({q * 100:g}), " us\\n")\n'
            for q in QUANTILES
        ),
        "end\n",
    )
)


def _wrk_job(attack: Attack) -> Job:
    command = (
        "wrk", "-t1", f"-c{attack.connections}", f"-d{attack.seconds:g}s", "--timeout", "30s",
        "-s", "quantiles.lua", attack.url,
    )  # fmt: skip
    return Job(commands=(command,), files={"quantiles.lua": _WRK_SCRIPT})


def _wrk_said(text: str) -> Said:
    found = re.findall(r"^quantile (\S+) (\S+) us$", text, re.M)
    return Said(
        quantiles_ns={float(q): float(value) * 1e3 for q, value in found},
        requests=_first_number(r"(\d+) requests in ", text),
    )


def _wrk2_job(attack: Attack) -> Job:
    command = (
        "wrk2", "-t1", f"-c{attack.connections}", f"-d{attack.seconds:g}s",
        f"-R{attack.rate_per_s:g}", "--timeout", "30s", "--latency", attack.url,
    )  # fmt: skip
    return Job(commands=(command,))


def _wrk2_said(text: str) -> Said:
    """From its detailed spectrum: value in ms, share, count, and the first at or above each q."""
    lines = re.findall(r"^\s+(\d+\.\d+)\s+(\d\.\d+)\s+\d+\s", text, re.M)
    spectrum = [(float(share), float(value) * _MS) for value, share in lines]
    quantiles = {}
    for q in QUANTILES:
        value = next((value for share, value in spectrum if share >= q), None)
        if value is not None:
            quantiles[q] = value
    return Said(quantiles_ns=quantiles, requests=_first_number(r"(\d+) requests in ", text))


def _hey_job(attack: Attack) -> Job:
    command = (
        "hey", "-z", f"{attack.seconds:g}s", "-c", str(attack.connections),
        "-q", f"{attack.rate_per_s / attack.connections:g}", "-t", "30", attack.url,
    )  # fmt: skip
    return Job(commands=(command,))


def _hey_said(text: str) -> Said:
    found = re.findall(r"^\s+(\d+)%+ in (\S+) secs", text, re.M)
    counts = re.findall(r"^\s+\[\d+\]\s+(\d+) responses", text, re.M)
    return Said(
        quantiles_ns={int(percent) / 100: float(value) * 1e9 for percent, value in found},
        requests=sum(map(int, counts)) if counts else None,
    )


def _ab_job(attack: Attack) -> Job:
    command = (
        "ab", "-q", "-k", "-c", str(attack.connections), "-t", f"{max(1, round(attack.seconds))}",
        "-n", "20000000", attack.url,
    )  # fmt: skip
    return Job(commands=(command,))


def _ab_said(text: str) -> Said:
    found = re.findall(r"^\s+(\d+)%\s+(\d+)", text, re.M)
    return Said(
        quantiles_ns={int(percent) / 100: int(value) * _MS for percent, value in found},
        requests=_first_number(r"Complete requests:\s+(\d+)", text),
    )


def _vegeta_job(attack: Attack) -> Job:
    send = (
        "vegeta", "attack", f"-rate={attack.rate_per_s:g}/1s", f"-duration={attack.seconds:g}s",
        f"-max-workers={attack.connections}", "-targets=targets", "-output=answers",
    )  # fmt: skip
    report = ("vegeta", "report", "-type=json", "answers")
    return Job(commands=(send, report), files={"targets": f"GET {attack.url}\n"})


def _vegeta_said(text: str) -> Said:
    report = json.loads(text)
    latencies = report["latencies"]
    names = {0.5: "50th", 0.9: "90th", 0.95: "95th", 0.99: "99th"}
    return Said(
        quantiles_ns={q: float(latencies[name]) for q, name in names.items() if name in latencies},
        requests=int(report["requests"]),
    )


_K6_SCRIPT: Final = """
import http from "k6/http";
export const options = {{
  scenarios: {{ only: {{
    executor: "constant-arrival-rate", rate: {rate:g}, timeUnit: "1s", duration: "{seconds:g}s",
    preAllocatedVUs: {connections}, maxVUs: {connections},
  }} }},
  summaryTrendStats: ["p(50)", "p(90)", "p(95)", "p(99)", "p(99.9)"],
}};
export default function () {{ http.get("{url}"); }}
export function handleSummary(data) {{ return {{ stdout: JSON.stringify(data.metrics) }}; }}
"""


def _k6_job(attack: Attack) -> Job:
    script = _K6_SCRIPT.format(
        rate=attack.rate_per_s,
        seconds=attack.seconds,
        connections=attack.connections,
        url=attack.url,
    )
    return Job(commands=(("k6", "run", "--quiet", "script.js"),), files={"script.js": script})


def _k6_said(text: str) -> Said:
    metrics = json.loads(text[text.index("{") :])
    values = metrics["http_req_duration"]["values"]
    return Said(
        quantiles_ns={
            q: float(values[name]) * _MS for q in QUANTILES if (name := f"p({q * 100:g})") in values
        },
        requests=int(metrics["http_reqs"]["values"]["count"]),
    )


PEERS: Final[Mapping[str, Peer]] = {
    peer.name: peer
    for peer in (
        Peer(name="wrk", sends_at_a_rate=False, job=_wrk_job, read=_wrk_said),
        # It calibrates for its first 10 s, which its figures leave out.
        Peer(name="wrk2", sends_at_a_rate=True, job=_wrk2_job, read=_wrk2_said, warm_up_s=10),
        Peer(name="hey", sends_at_a_rate=True, job=_hey_job, read=_hey_said),
        Peer(name="ab", sends_at_a_rate=False, job=_ab_job, read=_ab_said),
        Peer(name="vegeta", sends_at_a_rate=True, job=_vegeta_job, read=_vegeta_said),
        Peer(name="k6", sends_at_a_rate=True, job=_k6_job, read=_k6_said),
    )
}
