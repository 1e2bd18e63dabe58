"""What the engine promises, and whether the results keep it. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from statistics import median
from typing import Any

Values = Mapping[str, Any]
SATURATED = 0.9


@dataclass(frozen=True)
class Target:
    """A promise. `kept` is None where nothing was measured; `found` says what was, or why not."""

    what: str
    promised: str
    found: str
    kept: bool | None


@dataclass(frozen=True)
class Ratios:
    """Ours over theirs, round by round, so that both saw the same machine.

    `speed` compares requests per second, over the rounds in which both runs were `saturated`: the
    generator's or the server's core was busy throughout. Without such a round it is over all.
    `thrift` compares requests per CPU second, over all `rounds`.
    """

    speed: tuple[float, ...]
    thrift: tuple[float, ...]
    saturated: int
    rounds: int

    def __str__(self) -> str:
        if not self.rounds:
            return "-"
        note = (
            f"{self.saturated} of {self.rounds} rounds saturated"
            if self.saturated
            else "no round saturated"
        )
        return f"{spread(self.speed)}, {note}; per CPU second {spread(self.thrift)}"


def saturated(run: Values) -> bool:
    """Whether a core was busy for all of the window, as far as sharing a machine allows."""
    return max(run["generator_busy"], run["server_busy"]) >= SATURATED


def ratios(row: Values, ours: str, theirs: str) -> Ratios:
    """Of the rounds in which both ran."""
    pairs = [
        (one[ours], one[theirs])
        for one in row["rounds"]
        if all(name in one and "failed" not in one[name] for name in (ours, theirs))
    ]
    busy = [pair for pair in pairs if all(map(saturated, pair))]
    return Ratios(
        speed=tuple(a["requests_per_s"] / b["requests_per_s"] for a, b in busy or pairs),
        thrift=tuple(b["cpu_us"] / a["cpu_us"] for a, b in pairs),
        saturated=len(busy),
        rounds=len(pairs),
    )


def spread(values: tuple[float, ...]) -> str:
    """Median, and minimum to maximum."""
    return f"{median(values):.2f} ({min(values):.2f} to {max(values):.2f})" if values else "-"


def judged(rows: Mapping[str, Values], endurance: Values | None) -> Iterator[Target]:
    """Every promise, in the order of the page."""
    yield _faster(rows, "mix", "withstand", "wrk with Lua", 1.0)
    yield _faster(rows, "mix", "withstand", "hey", 2.0)
    yield _faster(rows, "mix", "withstand", "k6", 4.0)
    yield _faster(rows, "scripts", "withstand, async def", "wrk", 0.75)
    yield _faster(rows, "scripts", "withstand, async def", "Locust FastHttpUser", 9.0)
    yield _tls(rows)
    yield from _stalls(rows)
    yield _lag(rows)
    yield from _memory(rows)
    yield _endurance(endurance)


def _missing(what: str, promised: str, why: str = "not measured") -> Target:
    return Target(what, promised, why, None)


def _faster(rows: Mapping[str, Values], name: str, ours: str, theirs: str, least: float) -> Target:
    what = f"{ours}: requests/s of {theirs} ({name})"
    promised = f"at least {least:g} x"
    row = rows.get(name, {})
    if "rounds" not in row:
        return _missing(what, promised, row.get("failed", "not measured"))
    found = ratios(row, ours, theirs)
    if not found.speed:
        failure = next(
            (
                f"{one} failed: {each[one]['failed']}"
                for each in row["rounds"]
                for one in (ours, theirs)
                if "failed" in each.get(one, {})
            ),
            f"{theirs} is not on this machine",
        )
        return _missing(what, promised, failure)
    return Target(what, promised, str(found), median(found.speed) >= least)


def _tls(rows: Mapping[str, Values]) -> Target:
    what, promised = "TLS 1.3: process starts with 0.75 x wrk or more", "9 of 10"
    row = rows.get("tls", {})
    if "rounds" not in row or not (found := ratios(row, "withstand", "wrk")).speed:
        return _missing(what, promised, row.get("failed", "not measured"))
    good = sum(ratio >= 0.75 for ratio in found.speed)
    text = f"{good} of {len(found.speed)}: {found}"
    return Target(what, promised, text, good >= 0.9 * len(found.speed))


def _stalls(rows: Mapping[str, Values]) -> Iterator[Target]:
    promised = "0.98 to 1.02 (p50: 0.3 ms)"
    sections = rows.get("stalls", {}).get("sections", [])
    ours = [section for section in sections if section["peer"] is None]
    under_stalls = [section for section in ours if section["title"].startswith("Stalls")]
    if not under_stalls:
        yield _missing("reported / true under stalls", promised)
    for section in under_stalls:
        latencies = [row for row in section["rows"] if row["unit"] == "ns"]
        text = ", ".join(
            f"{row['what']} "
            + (f"{row['ratio']:.3f}" if row["ratio"] else f"{row['reported'] / 1e6:.2f} ms")
            for row in latencies
        )
        agreements = {row["agreement"] for row in latencies}
        # On a machine that was seen to be busy, too much is not decided.
        kept = None if agreements == {"agrees", "cannot tell"} else agreements == {"agrees"}
        yield Target(f"reported / true, {section['title'].lower()}", promised, text, kept)
    for section in ours:
        for row in section["rows"]:
            if row["what"].startswith("back to back"):
                yield Target(
                    "requests sent back to back at 200/s",
                    "below 1 %",
                    f"{row['reported']:.2%}",
                    row["reported"] < 0.01,
                )


def _lag(rows: Mapping[str, Values]) -> Target:
    what, promised = "send lag p99 at 20,000/s", "at most 0.2 ms"
    runs = [run for run in rows.get("send-lag", {}).get("runs", []) if run["rate_per_s"] == 20_000]
    if not runs:
        return _missing(what, promised)
    lags = tuple(run["send_lag_us"]["p99"] / 1e3 for run in runs)
    return Target(what, promised, f"{spread(lags)} ms", median(lags) <= 0.2)


def _memory(rows: Mapping[str, Values]) -> Iterator[Target]:
    row = rows.get("memory", {})
    for kind in ("declarative", "async def", "def"):
        what, promised = f"memory of an idle user, {kind}", "at most 10 kB at 10,000"
        found = row.get("idle", {}).get(kind, {})
        if "per_user_bytes" in found:
            size = found["per_user_bytes"]
            text = f"{size / 1e3:.1f} kB at {row['users']:,}"
            yield Target(what, promised, text, size <= 10_000 if row["users"] >= 10_000 else None)
        else:
            yield _missing(what, promised, found.get("failed", "not measured"))
    for kind in ("declarative", "async def", "def"):
        what, promised = f"growth per million requests, {kind}", "below 0.5 MB"
        found = row.get("growth", {}).get(kind, {})
        if "bytes_per_million" in found:
            slope = found["bytes_per_million"]
            yield Target(what, promised, f"{slope / 1e6:+.2f} MB", slope < 500_000)
        else:
            yield _missing(what, promised, found.get("failed", "not measured"))


def _endurance(endurance: Values | None) -> Target:
    what, promised = "30 minutes at 20,000/s", "below 0.5 MB per million requests"
    if endurance is None:
        return _missing(what, promised)
    slope = endurance["bytes_per_million"]
    text = (
        f"{slope / 1e6:+.3f} MB over {endurance['minutes']:g} minutes and "
        f"{endurance['requests'] / 1e6:.1f} million requests"
    )
    return Target(what, promised, text, slope < 500_000 if endurance["minutes"] >= 30 else None)
