"""A scenario or a script, and a profile → the load that is to run."""

from typing import Final

from withstand.errors import UsageError
from withstand.load.engine.base import Load
from withstand.load.engine.careful import CarefulConnection, CarefulUserConnection
from withstand.load.engine.closed import ClosedLoad
from withstand.load.engine.closed_user import UserConnection
from withstand.load.engine.health import descriptor_limit
from withstand.load.engine.open import MAX_CONNECTIONS, OpenConnection, OpenLoad
from withstand.load.engine.script_closed import ClosedUsers
from withstand.load.engine.script_open import MAX_USERS, ArrivingUsers
from withstand.load.engine.script_run import ScriptRun
from withstand.load.engine.shot import FilledShot, Shot
from withstand.load.engine.way import Way
from withstand.load.profile.profile import ArrivalSchedule, Profile, UserSchedule
from withstand.load.recorder import OperationRecorder
from withstand.load.scenario.scenario import Call, Scenario
from withstand.load.scenario.template import FeedReader, Filled, Template

_SPARE_DESCRIPTORS: Final = 64


def declared_load(
    way: Way,
    scenario: Scenario,
    profile: Profile,
    *,
    connections: int | None,
    width_s: int,
) -> Load:
    """The load of a scenario. Raises UsageError where there are more users than connections."""
    recorders = {
        call.operation: OperationRecorder(
            call.operation,
            expected=call.expected,
            width_s=width_s,
        )
        for call in scenario.calls
    }
    reader = FeedReader(
        scenario.feeds, seed=scenario.seed, shard=scenario.first, shards=scenario.step
    )
    shots = tuple(_shot(call, recorders[call.operation], reader) for call in scenario.calls)
    order = scenario.order()
    careful = not way.keep_alive or any(shot.is_inspected for shot in shots)
    if isinstance(profile, ArrivalSchedule):
        return OpenLoad(
            way,
            shots,
            order,
            profile,
            connections=connections,
            most_connections=min(MAX_CONNECTIONS, _descriptors()),
            connection=CarefulConnection if careful else OpenConnection,
        )
    if isinstance(profile, UserSchedule):
        _require_room(profile)
        return ClosedLoad(
            way,
            shots,
            order,
            profile,
            connection=CarefulUserConnection if careful else UserConnection,
        )
    raise TypeError(f"{type(profile).__name__} is neither an open nor a closed profile")


def scripted_load(run: ScriptRun, profile: Profile, *, connections: int | None) -> Load:
    """The load of a script's users. Raises UsageError as `declared_load` does."""
    if isinstance(profile, ArrivalSchedule):
        most = connections or min(MAX_USERS, _descriptors(MAX_USERS))
        return ArrivingUsers(run, profile, most_users=most)
    if isinstance(profile, UserSchedule):
        _require_room(profile)
        return ClosedUsers(run, profile)
    raise TypeError(f"{type(profile).__name__} is neither an open nor a closed profile")


def _shot(call: Call, recorder: OperationRecorder, reader: FeedReader) -> Shot:
    rendered = tuple(each for each in call.variants if isinstance(each, bytes))
    if rendered:
        return Shot(
            recorder,
            rendered,
            head=call.head,
            expectation=call.expectation,
            follow_redirects=call.follow_redirects,
        )
    templates = tuple(each for each in call.variants if isinstance(each, Template))
    return FilledShot(
        recorder,
        Filled(templates, reader),
        head=call.head,
        expectation=call.expectation,
        follow_redirects=call.follow_redirects,
    )


def _descriptors(most: int = MAX_CONNECTIONS) -> int:
    """How many connections the limit of open files leaves room for."""
    limit = descriptor_limit()
    return most if limit is None else max(limit - _SPARE_DESCRIPTORS, 1)


def _require_room(profile: UserSchedule) -> None:
    """Raises UsageError where there are more users than connections can be open."""
    limit = descriptor_limit()
    if limit is not None and profile.peak > limit - _SPARE_DESCRIPTORS:
        raise UsageError(
            f"{profile.peak:,.0f} users need a connection each, and this process may open "
            f"{limit:,} files, {_SPARE_DESCRIPTORS} of which it needs itself",
            hint="raise the hard limit (ulimit -Hn, as root), use fewer users or more processes",
        )
