"""Other load generators, put to the same: each runs as a process against a reference server."""

import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from withstand.errors import UsageError
from withstand.load.profile.profile import ConstantRate
from withstand.selftest.comparison import (
    Section,
    count_row,
    latency_rows,
    lateness,
    spacing_rows,
)
from withstand.selftest.experiment_server import PATH, ReferenceServer, ServerLog
from withstand.selftest.peers import Attack, Peer, Said
from withstand.selftest.plan import SelfTest
from withstand.selftest.spacing import spacing_of
from withstand.selftest.truth import waits_ns

BEYOND_S: Final = 60.0  # how much longer than its test a peer may take


def peer_stalls(plan: SelfTest, peer: Peer, connections: int) -> Section:
    """The same stalls, the same truth: what users who come at the rate wait."""
    seconds = peer.warm_up_s + plan.duration_s
    said, log = _run(peer, plan.stall_arguments(), plan.rate_per_s, seconds, connections)
    begin_ns = log.began_ns + round(peer.warm_up_s * 1e9)
    profile = ConstantRate(rate_per_s=plan.rate_per_s, duration_s=plan.duration_s)
    true_ns = waits_ns(log.stalls_ns, (begin_ns + offset_ns for offset_ns in profile.offsets_ns()))
    late = lateness(None, log.lateness_ns)
    rows = [
        *latency_rows(said.quantiles_ns, true_ns, late=late, pattern=plan.pattern),
        count_row("requests sent", true=log.requests, reported=said.requests, slack=connections),
    ]
    if peer.sends_at_a_rate:
        offered = round(plan.rate_per_s * seconds)
        rows.append(
            count_row("requests due by the rate", true=offered, reported=log.requests, slack=1)
        )
    return Section(
        title=f"{peer.name}: stalls, {connections} connections",
        rows=tuple(rows),
        late=late,
        peer=peer.name,
    )


def peer_sends(plan: SelfTest, peer: Peer) -> Section:
    """Whether a peer's rate is a rate."""
    connections = plan.connections[0]
    seconds = peer.warm_up_s + plan.seconds
    _, log = _run(peer, (), plan.rate_per_s, seconds, connections)
    late = lateness(None, log.lateness_ns)
    after_ns = log.began_ns + round(peer.warm_up_s * 1e9)
    counted = [arrival_ns for arrival_ns in log.arrivals_ns if arrival_ns >= after_ns]
    return Section(
        title=f"{peer.name}: evenness of the sends, {connections} connections",
        rows=tuple(spacing_rows(spacing_of(counted, rate_per_s=plan.rate_per_s), late=late)),
        late=late,
        peer=peer.name,
    )


def executable(peer: Peer) -> str:
    """Where the peer is. Raises UsageError when it is not installed."""
    found = shutil.which(peer.name)
    if found is None and peer.name == "wrk2":
        found = _wrk_that_knows_a_rate()
    if found is None:
        raise UsageError(
            f"{peer.name} is not on the PATH",
            hint=f"install it, or leave --against {peer.name} out",
        )
    return found


def _wrk_that_knows_a_rate() -> str | None:
    """wrk2 installs itself as `wrk`."""
    wrk = shutil.which("wrk")
    if wrk is None:
        return None
    usage = subprocess.run([wrk], capture_output=True, text=True, check=False)  # noqa: S603 - asks a tool for its help
    return wrk if "--rate" in usage.stdout + usage.stderr else None


def _run(
    peer: Peer,
    server_arguments: tuple[str, ...],
    rate_per_s: float,
    seconds: float,
    connections: int,
) -> tuple[Said, ServerLog]:
    """A peer against a server of its own: what it says, and what the server saw."""
    program = executable(peer)
    with (
        ReferenceServer(*server_arguments) as server,
        tempfile.TemporaryDirectory(prefix="withstand-selftest-") as folder,
    ):
        job = peer.job(
            Attack(
                url=f"{server.target.base_url}{PATH}",
                rate_per_s=rate_per_s,
                seconds=seconds,
                connections=connections,
            )
        )
        for name, text in job.files.items():
            Path(folder, name).write_text(text, encoding="utf-8")
        output = ""
        for command in job.commands:
            output = _output(peer, (program, *command[1:]), folder, seconds + BEYOND_S)
        return peer.read(output), server.log()


def _output(peer: Peer, command: Sequence[str], folder: str, timeout_s: float) -> str:
    try:
        done = subprocess.run(  # noqa: S603 - the tool that the user named
            command, cwd=folder, capture_output=True, text=True, timeout=timeout_s, check=False
        )
    except subprocess.TimeoutExpired:
        raise UsageError(
            f"{peer.name} did not end within {timeout_s:g} s",
            hint=f"leave --against {peer.name} out",
        ) from None
    if done.returncode:
        said = (done.stderr or done.stdout).strip()[-300:]
        raise UsageError(
            f"{peer.name} ended with {done.returncode}: {said}",
            hint=f"see whether it runs by itself: {' '.join(command)}",
        )
    return done.stdout
