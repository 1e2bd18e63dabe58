"""What a user script declares: who does what, and what goes before and after. Pure.

    from withstand.load import AsyncClient, user

    @user(weight=3)
    async def browse(client: AsyncClient) -> None:
        await client.get("/products")
        await client.think(1, 3)

The function is one iteration. In the closed model each virtual user repeats it; in the open model
every arrival starts one.
"""

import inspect
import math
from collections.abc import Callable, Coroutine, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, TypeVar, overload

from withstand.errors import UsageError
from withstand.load.profile.profile import ArrivalShare, Profile, UserShare
from withstand.load.script.client import AsyncClient, Client
from withstand.load.script.feed import Feed
from withstand.load.script.request import HeaderFields

Iteration = Callable[[AsyncClient], Coroutine[Any, Any, Any]] | Callable[[Client], Any]
F = TypeVar("F", bound=Callable[..., Any])
T = TypeVar("T")


class UserFunction:
    """A kind of virtual user: its iteration, and what goes before and after all of them.

    Made by `user`. It can be called like the function that it was made of, by other users of its
    kind. `is_async` says whether it is an `async def`.
    """

    def __init__(
        self,
        function: Callable[..., Any],
        *,
        weight: float,
        headers: Mapping[str, str],
        identities: tuple[str, ...],
        connect_timeout_s: float | None,
    ) -> None:
        self.function = function
        self.name: str = getattr(function, "__name__", repr(function))
        self.is_async = inspect.iscoroutinefunction(function)
        self.weight = weight
        self.headers = headers
        self.identities = identities
        self.connect_timeout_s = connect_timeout_s
        self.before: Callable[..., Any] | None = None
        self.after: Callable[..., Any] | None = None
        self.__doc__ = function.__doc__

    def __call__(self, client: Any) -> Any:
        return self.function(client)

    def setup(self, function: F) -> F:
        """Decorates what every virtual user of this kind does once, before its iterations."""
        self.before = self._checked(function)
        return function

    def teardown(self, function: F) -> F:
        """Decorates what every virtual user of this kind does once, after the run.

        Its requests are not measured.
        """
        self.after = self._checked(function)
        return function

    def _checked(self, function: F) -> F:
        if inspect.iscoroutinefunction(function) is not self.is_async:
            kind = "async def" if self.is_async else "def"
            raise UsageError(
                f"{self.name} is {'an' if self.is_async else 'a plain'} {kind} function, and "
                f"{function.__name__} is not",
                hint=f"write {kind} {function.__name__}(client)",
            )
        return function


class RunHook:
    """What is done once for the whole run. Made by `before_run` and `after_run`."""

    def __init__(self, function: Callable[..., Any], *, after: bool) -> None:
        self.function = function
        self.name: str = getattr(function, "__name__", repr(function))
        self.is_async = inspect.iscoroutinefunction(function)
        self.after = after


@overload
def user(function: Iteration, /) -> UserFunction: ...


@overload
def user(
    *,
    weight: float = 1.0,
    headers: Mapping[str, str] | None = None,
    identity: str | Sequence[str] = (),
    connect_timeout_s: float | None = None,
) -> Callable[[Iteration], UserFunction]: ...


def user(
    function: Iteration | None = None,
    /,
    *,
    weight: float = 1.0,
    headers: Mapping[str, str] | None = None,
    identity: str | Sequence[str] = (),
    connect_timeout_s: float | None = None,
) -> UserFunction | Callable[[Iteration], UserFunction]:
    """Declares a function of a client, `async def` or plain `def`, as a kind of virtual user.

    `weight` is its share among several kinds; `headers` go with every request; `identity` names
    who of the configuration it is logged in as, or several of whom the virtual users take one each
    in turn; `connect_timeout_s` limits the opening of a connection alone (the run's timeout limits
    the whole request).
    """

    def declare(declared: Iteration) -> UserFunction:
        name = getattr(declared, "__name__", repr(declared))
        _require_one_argument(declared, name)
        if not (weight > 0 and math.isfinite(weight)):
            raise UsageError(f"{name} has weight {weight:g}", hint="give a weight above zero")
        if connect_timeout_s is not None and not connect_timeout_s > 0:
            raise UsageError(
                f"{name} has connect_timeout_s={connect_timeout_s:g}",
                hint="give seconds above zero",
            )
        return UserFunction(
            declared,
            weight=weight,
            headers=dict(HeaderFields((headers or {}).items())),
            identities=(identity,) if isinstance(identity, str) else tuple(identity),
            connect_timeout_s=connect_timeout_s,
        )

    return declare if function is None else declare(function)


def before_run(function: Callable[..., Any]) -> RunHook:
    """Declares a function of a client that is called once before the run.

    What it returns is every client's `shared`. Its requests are not measured.
    """
    _require_one_argument(function, getattr(function, "__name__", repr(function)))
    return RunHook(function, after=False)


def after_run(function: Callable[..., Any]) -> RunHook:
    """Declares a function of a client that is called once after the run, with its `shared`.

    Its requests are not measured.
    """
    _require_one_argument(function, getattr(function, "__name__", repr(function)))
    return RunHook(function, after=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Script:
    """A user script as it was loaded. `source` names its file."""

    source: str
    users: tuple[UserFunction, ...]
    feeds: tuple[Feed, ...] = ()
    hooks: tuple[RunHook, ...] = ()

    def kinds(self, profile: Profile) -> Iterator[tuple[int, UserFunction]]:
        """The virtual users of this process's share of a profile, in the order in which they
        begin: each one's number in the whole run, and its kind by weight."""
        return share(enumerate(by_weight(self.users)), profile)

    @property
    def identities(self) -> tuple[str, ...]:
        """Who of the configuration its users are logged in as."""
        return tuple(dict.fromkeys(name for each in self.users for name in each.identities))


def script_of(namespace: Mapping[str, object], source: str) -> Script:
    """The script of a module's names. Raises UsageError when nobody is declared in it."""
    values = {id(value): value for value in namespace.values()}.values()
    users = tuple(value for value in values if isinstance(value, UserFunction))
    if not users:
        raise UsageError(
            f"{source} declares no user",
            hint="put @user (from withstand.load import user) before a function that takes a "
            "client; a locustfile has a class with HttpUser or FastHttpUser as its base",
        )
    return Script(
        source=source,
        users=users,
        feeds=tuple(value for value in values if isinstance(value, Feed)),
        hooks=tuple(value for value in values if isinstance(value, RunHook)),
    )


def by_weight(users: Iterable[UserFunction]) -> Iterator[UserFunction]:
    """Kinds of users without end, evenly mixed: at any time each has had its share of turns, give
    or take one. The one that is furthest behind its share is next."""
    kinds = tuple(users)
    total = sum(kind.weight for kind in kinds)
    credit = [0.0] * len(kinds)
    while True:
        for index, kind in enumerate(kinds):
            credit[index] += kind.weight / total
        chosen = max(range(len(kinds)), key=lambda index: (credit[index], -index))
        credit[chosen] -= 1.0
        yield kinds[chosen]


def share(items: Iterable[T], profile: Profile) -> Iterator[T]:
    """The part of some items that a share of a profile has: every shard's are its own."""
    if isinstance(profile, ArrivalShare | UserShare):
        return islice(share(items, profile.whole), profile.number - 1, None, profile.of)
    return iter(items)


def _require_one_argument(function: Callable[..., Any], name: str) -> None:
    if not inspect.isroutine(function) or inspect.isasyncgenfunction(function):
        raise UsageError(f"{name} is no function", hint="write async def or def")
    try:
        inspect.signature(function).bind(None)
    except TypeError:
        raise UsageError(
            f"{name} must take one argument, its client", hint=f"write {name}(client)"
        ) from None
