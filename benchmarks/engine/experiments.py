"""The rows of the comparison: each returns plain values for the results file."""

import json
import math
import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import linear_regression
from typing import Any

import tools
from contest import Contestant, contest
from generate import token
from generator import Generator, GeneratorFailed
from nginx import Nginx

LAG_RATES_PER_S = (200, 2_000, 20_000)
IDLE_THINK_S = 10
SPAWN_PER_S = 2_000
TLS_STARTS = 10
HERE = Path(__file__).parent


@dataclass(frozen=True)
class Occasion:
    """What every row is given."""

    nginx: Nginx
    folder: Path
    rounds: int
    seconds: float
    quick: bool
    say: Callable[[str], None]

    def contest(self, *contestants: Contestant, rounds: int | None = None) -> dict[str, Any]:
        """The rounds of a row."""
        return {
            "rounds": contest(
                contestants,
                self.nginx,
                rounds=rounds or self.rounds,
                seconds=self.seconds,
                say=self.say,
            )
        }


def one_get(on: Occasion) -> dict[str, Any]:
    """One GET: wrk does nothing but count, ours does everything."""
    url = f"{on.nginx.url}/users"
    contestants = [tools.wrk(url), tools.ab(url), tools.hey(url)]
    if tools.on_path("wrk2"):
        contestants.append(tools.wrk2(url))
    return on.contest(*contestants, tools.ours("withstand", on.nginx.url))


def mix(on: Occasion) -> dict[str, Any]:
    """20 weighted operations with credentials."""
    script = tools.wrk_script(on.folder)
    contestants = [
        tools.wrk(on.nginx.url, name="wrk with Lua", script=script),
        tools.ours("withstand", on.nginx.url, "--mix"),
        tools.hey(f"{on.nginx.url}/users", header=f"Authorization: {token(0)}"),
    ]
    if tools.on_path("k6"):
        contestants.append(tools.k6(on.nginx.url, on.folder / "mix.js"))
    return on.contest(*contestants)


def scripts(on: Occasion) -> dict[str, Any]:
    """Users written in Python, beside plain wrk."""
    url = on.nginx.url
    return on.contest(
        tools.wrk(f"{url}/users"),
        tools.ours_script("withstand, async def", url, "script_async.py", on.folder),
        tools.ours_script("withstand, def", url, "script_plain.py", on.folder),
        tools.locust("Locust FastHttpUser", url, "Fast"),
        tools.locust("Locust HttpUser", url, "Plain"),
    )


def tls(on: Occasion) -> dict[str, Any]:
    """TLS 1.3, a fresh process in every round: speed must not be a matter of luck."""
    url, ca = on.nginx.tls_url, str(on.nginx.ca_file)
    return on.contest(
        tools.wrk(f"{url}/users"),
        tools.ours("withstand", url, "--ca-file", ca),
        rounds=2 if on.quick else TLS_STARTS,
    )


def body(on: Occasion) -> dict[str, Any]:
    """A body of 10 kB."""
    url = f"{on.nginx.url}/large.json"
    return on.contest(
        tools.wrk(url), tools.ours("withstand", on.nginx.url, "--path", "/large.json")
    )


def send_lag(on: Occasion) -> dict[str, Any]:
    """How late requests leave, at three rates."""
    found: dict[str, Any] = {"runs": []}
    for _ in range(min(on.rounds, 3)):
        for rate in LAG_RATES_PER_S:
            command = [sys.executable, str(HERE / "generate.py"), "open", on.nginx.url, "--rate",
                       str(rate), "--seconds", f"{on.seconds:g}"]  # fmt: skip
            before = on.nginx.answered()
            with Generator(command) as generator:
                said = json.loads(generator.output(on.seconds + 30))
            said |= {"rate_per_s": rate, "seen": on.nginx.answered() - before}
            found["runs"].append(said)
            lag = said["send_lag_us"]
            on.say(
                f"  {rate:,}/s: lag p50 {lag['p50']:.0f} p99 {lag['p99']:.0f} max {lag['max']:.0f} "
                f"us; sent {said['sent']:,}, server's {said['seen']:,}"
            )
    return found


def memory(on: Occasion) -> dict[str, Any]:
    """Memory of idle users, and its growth while a closed loop runs flat out."""
    many = 500 if on.quick else 10_000
    kinds = {
        "declarative": [sys.executable, str(HERE / "generate.py"), "closed", on.nginx.url],
        "async def": tools.script_command("script_idle_async.py", on.nginx.url),
        "def": tools.script_command("script_idle_plain.py", on.nginx.url),
    }
    found: dict[str, Any] = {"users": many, "idle": {}, "growth": {}}
    for kind, command in kinds.items():
        try:
            few, lots = (_idle_pss(on, kind, command, users) for users in (1, many))
            per_user = (lots - few) / (many - 1)
            found["idle"][kind] = {"one": few, "many": lots, "per_user_bytes": per_user}
            on.say(f"  {kind}: {per_user / 1e3:.2f} kB for each of {many:,} idle users")
        except GeneratorFailed as problem:
            found["idle"][kind] = {"failed": str(problem)}
            on.say(f"  {kind}: FAILED, {problem}")
    busy = {
        "declarative": tools.ours("declarative", on.nginx.url).command,
        "async def": tools.ours_script("", on.nginx.url, "script_async.py", on.folder).command,
        "def": tools.ours_script("", on.nginx.url, "script_plain.py", on.folder).command,
    }
    for kind, make in busy.items():
        try:
            slope = _growth(on, list(make(6 if on.quick else 24)))
            found["growth"][kind] = {"bytes_per_million": slope}
            on.say(f"  {kind}: {slope / 1e6:+.3f} MB per million requests")
        except GeneratorFailed as problem:
            found["growth"][kind] = {"failed": str(problem)}
            on.say(f"  {kind}: FAILED, {problem}")
    return found


def _idle_pss(on: Occasion, kind: str, command: list[str], users: int) -> int:
    """PSS once all users are connected and at rest."""
    spawning_s = users / SPAWN_PER_S
    lasts_s = math.ceil(spawning_s + IDLE_THINK_S + 10)
    if kind == "declarative":
        flags = ["--users", str(users), "--spawn-rate", str(SPAWN_PER_S), "--think-time",
                 str(IDLE_THINK_S), "--seconds", str(lasts_s)]  # fmt: skip
    else:
        flags = ["-u", str(users), "-r", str(SPAWN_PER_S), "-t", f"{lasts_s}s"]
    before = on.nginx.active()
    with Generator([*command, *flags]) as generator:
        deadline = time.monotonic() + lasts_s
        while on.nginx.active() - before < users:
            if not generator.running:
                raise GeneratorFailed(f"it ended: {generator.complaint()}")
            if time.monotonic() > deadline:
                raise GeneratorFailed(
                    f"only {on.nginx.active() - before:,} of {users:,} users were connected"
                )
            time.sleep(0.1)
        time.sleep(1 if on.quick else 4)
        return generator.pss_bytes()


def _growth(on: Occasion, command: list[str]) -> float:
    """Slope of PSS over requests, in bytes per million, after the first third of the run."""
    samples: list[tuple[int, int]] = []
    before, began_s = on.nginx.answered(), time.monotonic()
    with Generator(command) as generator:
        while generator.running and time.monotonic() - began_s < 90:
            pss_bytes = generator.pss_bytes()
            if pss_bytes:
                samples.append((on.nginx.answered() - before, pss_bytes))
            time.sleep(0.5)
        generator.output(1)
    # The last samples are of a process that writes its results and ends.
    return slope_per_million(samples[len(samples) // 3 : -2])


def slope_per_million(samples: list[tuple[int, int]]) -> float:
    """Least squares: bytes for each million requests."""
    if len({requests for requests, _ in samples}) < 3:
        raise GeneratorFailed(f"{len(samples)} samples are too few to see any growth")
    requests, sizes = zip(*samples, strict=True)
    return linear_regression(requests, sizes).slope * 1e6


def stalls(on: Occasion) -> dict[str, Any]:
    """The self-test, with every other tool that is here, on both cores as users run it."""
    # This process keeps to the server's core, and what it starts would do so too.
    all_cores = ["taskset", "-c", f"0-{(os.cpu_count() or 1) - 1}"]
    command = [*all_cores, tools.beside_python("withstand"), "selftest", "--quiet", "--json", "-"]
    if on.quick:
        command.append("--quick")
    for name in ("wrk2", "wrk", "hey", "ab", "vegeta", "k6"):
        if tools.on_path(name) and not (on.quick and name != "hey"):
            command += ["--against", name]
    done = subprocess.run(  # noqa: S603 - our own program
        command, capture_output=True, text=True, timeout=900, check=False
    )
    if done.returncode not in {0, 1, 3}:
        raise GeneratorFailed(f"the self-test ended with {done.returncode}: {done.stderr[-400:]}")
    found: dict[str, Any] = json.loads(done.stdout)
    on.say(f"  {found['agreement']}")
    return found


ROWS: dict[str, Callable[[Occasion], dict[str, Any]]] = {
    "one-get": one_get,
    "mix": mix,
    "scripts": scripts,
    "tls": tls,
    "body": body,
    "send-lag": send_lag,
    "memory": memory,
    "stalls": stalls,
}
"""Every row by the name that `--only` takes."""
