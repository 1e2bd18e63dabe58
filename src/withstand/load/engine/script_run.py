"""A user script under way: what its virtual users share, and what becomes of each iteration."""

import asyncio
import time
from collections.abc import Callable, Collection, Coroutine, Mapping
from functools import partial
from typing import Any, Final

from withstand.client.exchange import FailureKind
from withstand.client.identity import Credential
from withstand.errors import RunVoid, UsageError
from withstand.load.engine.script_client import EngineClient
from withstand.load.engine.script_places import Places
from withstand.load.engine.script_scene import Scene
from withstand.load.engine.script_stalls import StallWatch
from withstand.load.engine.way import Way
from withstand.load.profile.profile import Profile
from withstand.load.script.feed import FeedExhausted
from withstand.load.script.operations import Operations
from withstand.load.script.response import RequestFailed, ResponseUnexpected
from withstand.load.script.script import Script, UserFunction, share
from withstand.load.script_record import (
    MAX_EXCEPTIONS,
    OTHER_EXCEPTIONS,
    ScriptRecord,
    exception_text,
)

Visit = Callable[[EngineClient], Coroutine[Any, Any, Any]]

_REST_S: Final = 0.01
_MOST_IDLE_ITERATIONS: Final = 100
_MAX_TEARDOWN_S: Final = 10.0
_CANCELLED_WITHIN_S: Final = 1.0


class ScriptRun:
    """The iterations of a script's virtual users, and what goes before and after them.

    `ended` is called when the script itself ends the run, `broken` when it cannot go on.
    """

    def __init__(
        self,
        script: Script,
        way: Way,
        profile: Profile,
        *,
        credentials: Mapping[str, Credential],
        width_s: int,
    ) -> None:
        self.script = script
        operations = Operations(width_s=width_s)
        self.scene = Scene(way, operations, credentials)
        self.ended: Callable[[], None] = lambda: None
        self.broken: Callable[[BaseException], None] = lambda _error: None
        self._places = Places(script.source)
        self._stalls = StallWatch(self._places)
        self.iterations = 0
        self._exceptions: dict[str, int] = {}
        self._notes: list[str] = []
        self._idle_iterations: dict[UserFunction, int] = {}
        for each in script.feeds:
            if each.rows is not None:
                each.begin(_dealt(each.file, each.order, each.rows, profile))

    def begin(self, origin_ns: int) -> None:
        """The schedule begins at this reading of the clock."""
        self.scene.operations.origin_ns = origin_ns
        self._stalls.beat()

    async def before(self) -> None:
        """What the script does once before the run. Raises RunVoid when that goes wrong."""
        for hook in self.script.hooks:
            if hook.after:
                continue
            client = self._unmeasured()
            try:
                given = await _called(hook.function, client, is_async=hook.is_async)
            except (Exception, SystemExit) as error:
                text = exception_text(error, self._places.in_trace(error.__traceback__))
                raise RunVoid(
                    f"{hook.name}, which goes before the run, failed: {text}",
                    hint="nothing was measured; correct the script, or what it prepares",
                ) from error
            finally:
                client.hang_up()
            if given is not None:
                self.scene.shared = given

    async def after(self) -> None:
        """What the script does once after the run, without measuring it."""
        for hook in self.script.hooks:
            if hook.after:
                client = self._unmeasured()
                limit_s = min(self.scene.way.timeout_s, _MAX_TEARDOWN_S)
                try:
                    async with asyncio.timeout(limit_s):
                        await self._guarded(hook.function, client, is_async=hook.is_async)
                except TimeoutError:
                    self.note(f"{hook.name} had not finished within {limit_s:g} s")
                client.hang_up()

    def _unmeasured(self) -> EngineClient:
        client = EngineClient(self.scene, number=0, kind=None)
        client.go_off_the_record()
        return client

    def visit(self, kind: UserFunction) -> Visit:
        """One iteration of a kind of user, as a coroutine function of its client."""
        return kind.function if kind.is_async else partial(_call_plain, kind.function)

    async def iterate(self, client: EngineClient, visit: Visit) -> bool:
        """One iteration; whether it came to its end."""
        asked = client.asked
        try:
            await visit(client)
        except (Exception, SystemExit) as error:
            return self.cut_short(client, error)
        self.iterations += 1
        if client.asked == asked:
            await self.rest(client)
        return True

    def cut_short(self, client: EngineClient, error: BaseException) -> bool:
        """An iteration ended with an exception: count what is not counted yet. True when it is
        only a response that was not what it should be."""
        if isinstance(error, FeedExhausted):
            kind = client.kind.name if client.kind is not None else "the script"
            self.note(f"{kind} ended the run: {error}")
            self.ended()
        elif not isinstance(error, RequestFailed | ResponseUnexpected):
            self.count_exception(error)
        return isinstance(error, ResponseUnexpected)

    async def set_up(self, client: EngineClient) -> bool:
        """What a user does before its first iteration; whether it went well."""
        kind = client.kind
        if kind is None or kind.before is None or client.is_set_up:
            return True
        client.is_set_up = await self._guarded(kind.before, client, is_async=kind.is_async)
        return client.is_set_up

    async def tear_down(self, clients: Collection[EngineClient]) -> None:
        """Stop users where they are, and do what they do at the end, without measuring it."""
        for client in clients:
            client.leaving = True
        # Before anything is waited for: the books are closed, and an answer that came now would be
        # counted twice, as itself and among the unanswered.
        self.scene.drop_measured()
        tasks = [client.task for client in clients if client.task and not client.task.done()]
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks, timeout=_CANCELLED_WITHIN_S)
        farewells = [
            asyncio.ensure_future(self.say_goodbye(client))
            for client in clients
            if client.kind is not None and client.kind.after is not None
        ]
        if farewells:
            limit_s = min(self.scene.way.timeout_s, _MAX_TEARDOWN_S)
            _, late = await asyncio.wait(farewells, timeout=limit_s)
            for farewell in late:
                farewell.cancel()
            if late:
                self.note(f"{len(late):,} users had no time for their teardown ({limit_s:g} s)")
                await asyncio.wait(late, timeout=_CANCELLED_WITHIN_S)
        self._stalls.close()

    async def say_goodbye(self, client: EngineClient) -> None:
        """What a user does at the end, if it has begun; then its connections are closed."""
        kind = client.kind
        # Where nothing prepares a user it has begun with its first request.
        begun = client.is_set_up or (kind is not None and kind.before is None and client.asked)
        if kind is not None and kind.after is not None and begun:
            client.go_off_the_record()
            await self._guarded(kind.after, client, is_async=kind.is_async)
        client.hang_up()

    async def _guarded(
        self, function: Callable[..., Any], client: EngineClient, *, is_async: bool
    ) -> bool:
        try:
            await _called(function, client, is_async=is_async)
        except (Exception, SystemExit) as error:
            self.cut_short(client, error)
            if not client.is_measured and isinstance(error, RequestFailed | ResponseUnexpected):
                self.count_exception(error)  # nothing else tells of it
            return False
        return True

    def count_exception(self, error: BaseException) -> None:
        """Count what the script raised, by type, message and line."""
        text = exception_text(error, self._places.in_trace(error.__traceback__))
        if text not in self._exceptions and len(self._exceptions) >= MAX_EXCEPTIONS:
            text = OTHER_EXCEPTIONS
        self._exceptions[text] = self._exceptions.get(text, 0) + 1

    def note(self, sentence: str) -> None:
        """Something that a person should know of the run."""
        if sentence not in self._notes:
            self._notes.append(sentence)

    def record(self) -> ScriptRecord:
        """What became of the script so far."""
        names = self.scene.operations.note
        return ScriptRecord(
            iterations=self.iterations,
            exceptions=dict(self._exceptions),
            blocked_ns=self._stalls.held_ns(),
            notes=(*self._notes, *((names,) if names else ())),
        )

    def sweep(self) -> None:
        """Give up the requests whose time is over."""
        self._stalls.beat()
        now_ns = time.perf_counter_ns()
        for connection in tuple(self.scene.connections):
            if connection.in_flight and now_ns > connection.deadline_ns:
                connection.give_up(FailureKind.TIMED_OUT, "no complete response in time")

    async def rest(self, client: EngineClient) -> None:
        """After an iteration without a request, which would come round at once, for ever."""
        kind = client.kind
        if not self.scene.operations.recorders and kind is not None:
            idle = self._idle_iterations[kind] = self._idle_iterations.get(kind, 0) + 1
            if idle > _MOST_IDLE_ITERATIONS:
                self.broken(_without_request(kind, self.script, idle))
        await asyncio.sleep(_REST_S)


def _without_request(kind: UserFunction, script: Script, iterations: int) -> UsageError:
    return UsageError(
        f"{kind.name} of {script.source} came to its end {iterations} times without making a "
        f"request",
        hint="await client.get(...) in it, or client.get(...) in a plain def"
        if kind.is_async
        else "call client.get(...) or another method of its client in it",
    )


def _call_plain(function: Callable[..., Any], client: EngineClient) -> Coroutine[Any, Any, Any]:
    return client.call_plain(function)


async def _called(function: Callable[..., Any], client: EngineClient, *, is_async: bool) -> Any:
    return await (function(client) if is_async else client.call_plain(function))


def _dealt(file: str, order: str, rows: "Collection[Any]", profile: Profile) -> tuple[Any, ...]:
    """The rows that this process's share of the run may use."""
    if order == "random":
        return tuple(rows)
    part = tuple(share(rows, profile))
    if part:
        return part
    if order == "unique":
        raise UsageError(
            f"{file} has {len(rows):,} rows, which are not enough for every process of this run",
            hint='give more rows or fewer processes, or order="sequential"',
        )
    return tuple(rows)
