"""Stages as a person writes them: `30s:200/s, 1m:200/s, 10s:0`. Pure.

Each part is a duration and the level that is reached at its end, in a straight line from the level
before; a part without a duration is a jump. The first level is 0 unless the first part jumps.
"""

import re
from typing import Final

from withstand.errors import UsageError
from withstand.load.profile.profile import Arrivals
from withstand.load.profile.rhythm import Rhythm
from withstand.load.profile.stages import Stage, StagedRate, StagedUsers
from withstand.units import parse_duration_ns, parse_rate_per_s

_USERS: Final = re.compile(r"(?P<number>[0-9]+)\s*(?:u|users?)$")
_ZERO: Final = re.compile(r"0+(?:\.0+)?$")
_FORM: Final = (
    "write durations and levels, such as 30s:200/s,1m:200/s,10s:0/s for a rate, "
    "or 30s:50u,1m:50u,10s:0u for users; a level alone jumps there"
)


def parse_stages(
    text: str, *, arrivals: Arrivals = "paced", rhythm: Rhythm | None = None
) -> StagedRate | StagedUsers:
    """The profile of a text: levels with `/s`, `/m` or `/h` are rates, with `u` or `users` users,
    whose pauses are those of `rhythm`.

    Raises UsageError with the part that cannot be read, or for a mix of both.
    """
    level = 0.0
    unit: str | None = None
    stages: list[Stage] = []
    for part in text.split(","):
        duration, separator, goal = part.strip().rpartition(":")
        reached, its_unit = _level(goal.strip(), part.strip())
        if unit is not None and its_unit is not None and its_unit != unit:
            raise UsageError(
                f"the stages {text!r} mix a rate with users",
                hint="a rate is the open model and users the closed one: keep one of them",
            )
        unit = unit or its_unit
        duration_s = parse_duration_ns(duration) / 1e9 if separator else 0.0
        if duration_s > 0:
            stages.append(Stage(start=level, end=reached, duration_s=duration_s))
        level = reached
    if not stages:
        raise UsageError(f"the stages {text!r} last no time", hint=_FORM)
    if unit == "users":
        if arrivals != "paced":
            raise UsageError(
                f"Poisson arrivals belong to a rate, and the stages {text!r} are of users",
                hint="give the levels as rates, such as 30s:200/s, or leave --poisson out",
            )
        return StagedUsers(stages=tuple(stages), rhythm=rhythm)
    return StagedRate(stages=tuple(stages), arrivals=arrivals)


def _level(text: str, part: str) -> tuple[float, str | None]:
    """A level and its unit; zero needs none."""
    if _ZERO.match(text):
        return 0.0, None
    if (users := _USERS.match(text)) is not None:
        return float(users["number"]), "users"
    number, slash, _ = text.partition("/")
    if slash and _ZERO.match(number.strip()):
        return 0.0, "rate"
    if not slash:
        raise UsageError(f"the stage {part!r} has no level with its unit", hint=_FORM)
    return parse_rate_per_s(text), "rate"
