"""Every exception says what to do, exits as its group does, and crosses processes."""

import pickle

import pytest

from withstand import errors
from withstand.errors import (
    ConfigurationError,
    GeneratorSaturated,
    IdentityBroken,
    RunVoid,
    TargetUnreachable,
    UsageError,
    WithstandError,
)

EXIT_CODES: dict[type[WithstandError], int] = {
    WithstandError: 4,
    UsageError: 2,
    ConfigurationError: 2,
    RunVoid: 3,
    TargetUnreachable: 3,
    IdentityBroken: 3,
    GeneratorSaturated: 3,
}


def test_the_exit_code_is_that_of_who_has_to_act() -> None:
    assert {kind: kind.exit_code for kind in EXIT_CODES} == EXIT_CODES


def test_the_tree_in_the_docstring_is_the_tree() -> None:
    defined = {
        value
        for value in vars(errors).values()
        if isinstance(value, type) and issubclass(value, WithstandError)
    }
    assert defined == set(EXIT_CODES)
    assert errors.__doc__ is not None
    for kind in defined:
        assert kind.__name__ in errors.__doc__


def test_the_next_step_is_printed_below_the_message() -> None:
    assert str(UsageError("bad", hint="do this")) == "bad\n  → do this"
    assert str(UsageError("bad")) == "bad"


def test_a_configuration_tells_all_its_problems_at_once() -> None:
    one = ConfigurationError("withstand.toml", ("slo: bad",))
    two = ConfigurationError("withstand.toml", ("slo: bad", "login: worse"), hint="see the docs")
    assert str(one) == "withstand.toml has 1 problem:\n  - slo: bad"
    assert str(two) == (
        "withstand.toml has 2 problems:\n  - slo: bad\n  - login: worse\n  → see the docs"
    )


@pytest.mark.parametrize(
    "error",
    [UsageError("bad", hint="do this"), ConfigurationError("a.toml", ("x", "y"), hint="do that")],
)
def test_an_error_of_another_process_arrives_whole(error: WithstandError) -> None:
    again = pickle.loads(pickle.dumps(error))
    assert type(again) is type(error)
    assert str(again) == str(error)
    assert again.hint == error.hint
