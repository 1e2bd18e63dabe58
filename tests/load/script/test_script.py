"""What user scripts declare."""

from collections import Counter
from itertools import islice

import pytest

from withstand.errors import UsageError
from withstand.load import Client, user
from withstand.load.profile.profile import Closed, ConstantRate, share_of
from withstand.load.script.script import UserFunction, by_weight, script_of, share


def kind(name: str, weight: float) -> UserFunction:
    def visit(client: Client) -> None: ...

    visit.__name__ = name
    return user(weight=weight)(visit)


def test_at_any_time_each_kind_has_had_its_share_of_turns() -> None:
    kinds = (kind("a", 5), kind("b", 3), kind("c", 0.5))
    turns: Counter[str] = Counter()
    for number, chosen in enumerate(islice(by_weight(kinds), 500), 1):
        turns[chosen.name] += 1
        for each in kinds:
            assert abs(turns[each.name] - number * each.weight / 8.5) < 1.5


@pytest.mark.parametrize(
    "whole", [Closed(users=7, duration_s=1), ConstantRate(rate_per_s=7, duration_s=1)]
)
def test_shares_of_shares_are_the_whole_and_nothing_twice(
    whole: Closed | ConstantRate,
) -> None:
    parts = [share_of(share_of(whole, n, 2), m, 3) for n in (1, 2) for m in (1, 2, 3)]
    dealt = [list(share(range(100), part)) for part in parts]
    assert sorted(item for part in dealt for item in part) == list(range(100))
    assert list(share(range(100), whole)) == list(range(100))


def test_a_script_is_what_stands_in_the_modules_names_each_once() -> None:
    first, second = kind("a", 1), kind("b", 1)
    script = script_of({"a": first, "again": first, "b": second, "x": 1}, "shop.py")
    assert script.users == (first, second)


def test_a_module_without_users_is_refused() -> None:
    with pytest.raises(UsageError, match=r"shop\.py declares no user\n.*put @user"):
        script_of({"x": 1}, "shop.py")


def test_mistakes_of_a_declaration_are_told() -> None:
    def none() -> None: ...

    async def generator(client: Client) -> object:
        yield client

    async def visit(client: object) -> None: ...

    def plain(client: object) -> None: ...

    with pytest.raises(UsageError, match="none must take one argument"):
        user(none)  # type: ignore[arg-type]  # the mistake at hand
    with pytest.raises(UsageError, match="generator is no function"):
        user(generator)
    with pytest.raises(UsageError, match="visit has weight 0"):
        user(weight=0)(visit)
    with pytest.raises(UsageError, match="connect_timeout_s=0"):
        user(connect_timeout_s=0)(visit)
    with pytest.raises(UsageError, match="visit is an async def function, and plain is not"):
        user(visit).setup(plain)


def test_a_user_can_be_called_like_its_function() -> None:
    assert user(lambda client: client)("me") == "me"
