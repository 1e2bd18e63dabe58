"""The self-test end to end: every experiment in turn, as one comparison."""

from collections.abc import Callable, Iterator

from withstand.errors import WithstandError
from withstand.load.progress import Observer
from withstand.selftest.comparison import Comparison, Section
from withstand.selftest.experiment_engine import distribution, send_lag, sends, stalls
from withstand.selftest.experiment_peer import executable, peer_sends, peer_stalls
from withstand.selftest.peers import Peer
from withstand.selftest.plan import SelfTest


def run_selftest(
    plan: SelfTest,
    *,
    say: Callable[[str], None] = lambda _sentence: None,
    observer: Observer | None = None,
) -> Comparison:
    """Run everything. Ctrl-C keeps the sections that are complete.

    Raises UsageError for a peer that is not installed.
    """
    for peer in plan.peers:
        executable(peer)
    sections: list[Section] = []
    try:
        for section in _sections(plan, say, observer):
            sections.append(section)  # noqa: PERF402 - so that those before an interruption are kept
    except KeyboardInterrupt:
        return Comparison(sections=tuple(sections), interrupted=True)
    return Comparison(sections=tuple(sections))


def _sections(
    plan: SelfTest, say: Callable[[str], None], observer: Observer | None
) -> Iterator[Section]:
    pattern, rate = plan.pattern, f"{plan.rate_per_s:g}/s"
    for connections in plan.connections:
        say(
            f"A server that stalls {pattern.stall_s:g} s in every {pattern.every_s:g} s, "
            f"{rate} for {plan.duration_s:g} s over {connections} connections …"
        )
        yield stalls(plan, connections, observer)
    say(f"A server with known delays, {rate} for {plan.seconds:g} s …")
    yield distribution(plan, observer)
    say(f"How evenly requests are sent, {rate} for {plan.seconds:g} s …")
    yield sends(plan, observer)
    say("How late requests are sent, up to the highest clean rate …")
    yield send_lag(plan, observer)
    for peer in plan.peers:
        yield from _peer_sections(plan, peer, say)


def _peer_sections(plan: SelfTest, peer: Peer, say: Callable[[str], None]) -> Iterator[Section]:
    """One peer's, until it fails: that is its section then, and loses nobody else's."""
    try:
        for connections in plan.connections:
            say(f"{peer.name} against the stalling server, {connections} connections …")
            yield peer_stalls(plan, peer, connections)
        if peer.sends_at_a_rate:
            say(f"How evenly {peer.name} sends …")
            yield peer_sends(plan, peer)
    except WithstandError as error:
        yield Section(title=peer.name, rows=(), peer=peer.name, failure=str(error))
