"""What became of a user script itself, beside its requests: counts only, which merge. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from withstand.units import format_duration_ns, format_share

MAX_EXCEPTIONS: Final = 50
OTHER_EXCEPTIONS: Final = "other exceptions"
_LONGEST_TEXT: Final = 300

# A script that holds everything up for longer has its own waits in one response of a hundred.
MAX_BLOCKED_SHARE: Final = 0.01


@dataclass(frozen=True, slots=True, kw_only=True)
class ScriptRecord:
    """`iterations` came to their end. `exceptions` counts what the script raised, by type, message
    and line; each ended an iteration. `blocked_ns` says for how long the script kept the generator
    from doing anything else, by the line that did. `notes` are sentences for the report.
    """

    iterations: int = 0
    exceptions: Mapping[str, int] = field(default_factory=dict)
    blocked_ns: Mapping[str, int] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def sentences(self) -> tuple[str, ...]:
        """What a person should know of it, the gravest first."""
        raised = [
            f"the script raised {_times(count)}: {text}"
            for text, count in sorted(self.exceptions.items(), key=lambda item: -item[1])
        ]
        blocked = [
            f"{place} kept the generator from doing anything else for "
            f"{format_duration_ns(held_ns)} in all; wait with client.think, and compute or call "
            f"other libraries in a thread (asyncio.to_thread)"
            for place, held_ns in sorted(self.blocked_ns.items(), key=lambda item: -item[1])
        ]
        return (*raised, *blocked, *self.notes)

    def void(self) -> str | None:
        """Why the run says nothing: no iteration came to its end, for the script's own fault."""
        if self.iterations or not self.exceptions:
            return None
        worst = max(self.exceptions, key=lambda each: self.exceptions[each])
        return f"no iteration of the user script came to its end: {worst}"

    def saturation(self, duration_s: float) -> str | None:
        """Why the run measures the script and not the target; None when it does not.

        That is so when the script held everything up for more than 1 % of the run: answers waited
        for it.
        """
        held_ns = sum(self.blocked_ns.values())
        share = held_ns / 1e9 / duration_s if duration_s > 0 else 0.0
        if share <= MAX_BLOCKED_SHARE:
            return None
        place = max(self.blocked_ns, key=lambda each: self.blocked_ns[each])
        return (
            f"the user script held the generator up for {format_share(share)} of the run (at "
            f"{place}), so answers waited for it; wait with client.think, and compute in a thread"
        )


def merge_records(first: ScriptRecord | None, second: ScriptRecord | None) -> ScriptRecord | None:
    """One record of two generators."""
    if first is None or second is None:
        return first or second
    return ScriptRecord(
        iterations=first.iterations + second.iterations,
        exceptions=_added(first.exceptions, second.exceptions),
        blocked_ns=_added(first.blocked_ns, second.blocked_ns),
        notes=tuple(dict.fromkeys((*first.notes, *second.notes))),
    )


def exception_text(error: BaseException, place: str | None) -> str:
    """An exception as it is counted: type, message, and where in the script."""
    said = " ".join(str(error).split())[:_LONGEST_TEXT]
    text = f"{type(error).__name__}: {said}" if said else type(error).__name__
    return f"{text} ({place})" if place else text


def _added(first: Mapping[str, int], second: Mapping[str, int]) -> dict[str, int]:
    return {key: first.get(key, 0) + second.get(key, 0) for key in {**first, **second}}


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count:,} times"
