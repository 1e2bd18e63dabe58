"""How long tests take, in a file that a team commits: what shards are balanced by. Pure.

Each kind of machine has its own figures, because no two are equally fast. A plan depends on the
file alone, never on the machine that reads it: shards on different machines have to agree.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any, Final

from withstand.errors import UsageError
from withstand.sharding.member import Member

_FORMAT: Final = "withstand-durations"
_VERSION: Final = 1
_KEPT: Final = timedelta(days=30)
_FIELDS: Final = frozenset({"ms", "seen", "class", "group"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """How long a test takes with its set-up and teardown, and the day on which it last passed."""

    member: Member
    ms: int
    seen: date


@dataclass(frozen=True, slots=True, kw_only=True)
class SuiteDurations:
    """Machine → node id → how long that test takes there."""

    machines: Mapping[str, Mapping[str, Timing]] = field(default_factory=dict)

    def known_ms(self) -> dict[Member, int]:
        """How long each test takes on one kind of machine, the one that knows most tests.

        What only others know is scaled by how much slower or faster they are with the tests that
        both know.
        """
        known: dict[str, Timing] = {}
        scaled_ms: dict[Member, int] = {}
        for machine in sorted(self.machines, key=lambda name: (-len(self.machines[name]), name)):
            timings = self.machines[machine]
            both = [nodeid for nodeid in timings if nodeid in known]
            there_ms = sum(timings[nodeid].ms for nodeid in both)
            here_ms = sum(scaled_ms[known[nodeid].member] for nodeid in both)
            for nodeid, timing in timings.items():
                if nodeid not in known:
                    known[nodeid] = timing
                    scaled_ms[timing.member] = (
                        max(1, timing.ms * here_ms // there_ms) if there_ms else timing.ms
                    )
        return scaled_ms

    def noted(self, machine: str, passed_ms: Mapping[Member, int], day: date) -> "SuiteDurations":
        """With what tests took that passed on a machine: the mean of that and what was known.

        Half of a surprise is believed at a time. What no machine of its kind has seen for 30 days
        is forgotten.
        """
        timings = dict(self.machines.get(machine, {}))
        for member, ms in passed_ms.items():
            before = timings.get(member.nodeid)
            now_ms = max(1, ms) if before is None else (before.ms + max(1, ms) + 1) // 2
            timings[member.nodeid] = Timing(member=member, ms=now_ms, seen=day)
        kept = {
            name: {nodeid: each for nodeid, each in known.items() if each.seen >= day - _KEPT}
            for name, known in {**self.machines, machine: timings}.items()
        }
        return SuiteDurations(machines={name: known for name, known in kept.items() if known})


def durations_text(durations: SuiteDurations) -> str:
    """The file: a line for each test, so that changes can be read and merged."""
    machines = ",\n".join(
        f"    {json.dumps(machine)}: {{\n"
        + ",\n".join(
            f"      {json.dumps(nodeid)}: {json.dumps(_stored(timings[nodeid]))}"
            for nodeid in sorted(timings)
        )
        + "\n    }"
        for machine, timings in sorted(durations.machines.items())
    )
    inner = f"{{\n{machines}\n  }}" if machines else "{}"
    return f'{{\n  "format": "{_FORMAT}",\n  "version": {_VERSION},\n  "machines": {inner}\n}}\n'


def parse_durations(text: str, *, source: str) -> SuiteDurations:
    """The durations of such a file. Raises UsageError that names the source."""
    try:
        document = json.loads(text)
        if document["format"] != _FORMAT or document["version"] != _VERSION:
            raise ValueError(f'it does not say "format": "{_FORMAT}" and "version": {_VERSION}')
        machines = {
            machine: {nodeid: _timing(nodeid, stored) for nodeid, stored in tests.items()}
            for machine, tests in document["machines"].items()
        }
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        why = f"{error} is missing" if isinstance(error, KeyError) else str(error)
        raise UsageError(
            f"{source} is no file of durations: {why}",
            hint="mend it, or delete it: the next `withstand merge --durations` or "
            "`pytest --store-shard-durations` makes a new one",
        ) from None
    return SuiteDurations(machines=machines)


def _stored(timing: Timing) -> dict[str, Any]:
    places = {"class": timing.member.outer_class, "group": timing.member.group}
    return {
        "ms": timing.ms,
        "seen": timing.seen.isoformat(),
        **{name: place for name, place in places.items() if place is not None},
    }


def _timing(nodeid: str, stored: Mapping[str, Any]) -> Timing:
    ms = stored["ms"]
    if not isinstance(ms, int) or ms < 1:
        raise ValueError(f"{nodeid} takes {ms!r} ms, which is no whole number above 0")
    if unknown := sorted(stored.keys() - _FIELDS):
        raise ValueError(f"{nodeid} has the unknown {unknown[0]!r}")
    for name in ("class", "group"):
        if not isinstance(stored.get(name), str | None):
            raise ValueError(f"{nodeid} has the {name} {stored[name]!r}, which is no text")
    member = Member(nodeid=nodeid, outer_class=stored.get("class"), group=stored.get("group"))
    return Timing(member=member, ms=ms, seen=date.fromisoformat(stored["seen"]))
