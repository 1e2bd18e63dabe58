"""File, environment and flags: who wins, and how `${VARIABLE}` is filled in."""

import pytest

from withstand.settings.sources import environment_variables, layer
from withstand.settings.structure import structure

from .conftest import Complain, Read

URL = '[target]\nbase_url = "http://127.0.0.1:1"\n'


def test_the_environment_wins_over_the_file_and_a_flag_over_both(read: Read) -> None:
    environ = {"WITHSTAND_TARGET_BASE_URL": "http://127.0.0.1:2"}
    flag = {"target.base_url": "http://127.0.0.1:3"}
    assert read(URL).target().port == 1
    assert read(URL, environ).target().port == 2
    assert read(URL, environ, flag).target().port == 3


@pytest.mark.parametrize("name", ["WITHSTAND_BASE_URL", "WITHSTAND_TARGET_BASE_URL"])
def test_the_base_url_has_a_short_variable_as_well(read: Read, name: str) -> None:
    assert read("", {name: "http://127.0.0.1:9"}).target().port == 9


def test_two_variables_for_one_key_must_agree(complain: Complain) -> None:
    problems = complain(
        "",
        {
            "WITHSTAND_BASE_URL": "http://127.0.0.1:1",
            "WITHSTAND_TARGET_BASE_URL": "http://127.0.0.1:2",
        },
    )
    assert problems == (
        "WITHSTAND_TARGET_BASE_URL: says otherwise than WITHSTAND_BASE_URL; "
        "both set target.base_url, so unset one",
    )


def test_variables_and_flags_take_the_type_of_their_key(read: Read) -> None:
    environ = {
        "WITHSTAND_TARGET_VERIFY": "false",
        "WITHSTAND_TARGET_ALLOW": "a.example.com, b.example.com",
        "WITHSTAND_LOAD_USERS": "50",
        "WITHSTAND_SECURITY_BUDGET_DURATION": "5m",
        "WITHSTAND_BASE_URL": "https://b.example.com",
    }
    settings = read("", environ, {"slo.GET /v1.0/users": "p95<200ms, errors<1%"})
    assert settings.target().verify is False
    assert settings.load().users == 50
    assert settings.budget().duration_s == 300
    assert settings.objective_texts() == {"GET /v1.0/users": ("p95<200ms", "errors<1%")}


def test_a_flag_can_give_an_identity_its_field(read: Read) -> None:
    settings = read(
        "[identities]\nalice = { role = 'user' }\n",
        overrides={"identities.alice.token": "secret-token"},
    )
    (alice,) = settings.identities()
    assert alice.credential is not None
    assert alice.credential.token == "secret-token"


@pytest.mark.parametrize(("name", "key"), sorted(environment_variables().items()))
def test_every_listed_variable_reaches_its_key(read: Read, name: str, key: str) -> None:
    layered = layer({}, {name: "\x00?"}, {})
    assert layered.origins == {tuple(key.split(".")): name}
    # Whether the value fits or not, it is dealt with in words.
    problems = structure(layered.data).problems
    assert {problem.message for problem in problems} & {"is no key"} == set()


def test_a_misspelt_variable_is_no_silent_nothing(complain: Complain) -> None:
    assert complain("", {"WITHSTAND_TARGET_BASEURL": "http://127.0.0.1"}) == (
        "WITHSTAND_TARGET_BASEURL: sets no key; did you mean 'TARGET_BASE_URL'?",
    )


def test_variables_for_other_ends_are_left_alone(read: Read) -> None:
    assert read("", {"WITHSTAND_TOKEN_ALICE": "x", "WITHSTAND_PASSWORD_BOB": "y"}).source


def test_a_misspelt_flag_key_is_named(complain: Complain) -> None:
    assert complain("", overrides={"target.bas_url": "x"}) == (
        "target.bas_url (from the command line): is no key; did you mean 'target.base_url'?",
    )


def test_variables_are_filled_in_everywhere_in_the_file(read: Read) -> None:
    settings = read(
        '[target]\nbase_url = "http://${HOST}:${PORT:-8000}"\nallow = ["${HOST}"]\n',
        {"HOST": "api.example.com"},
    )
    assert settings.target().base_url == "http://api.example.com:8000"


def test_a_default_also_stands_for_an_empty_variable(read: Read) -> None:
    text = '[target]\nbase_url = "${URL:-http://127.0.0.1:7}"\n'
    assert read(text, {"URL": ""}).target().port == 7


def test_a_doubled_dollar_keeps_the_text(read: Read) -> None:
    text = "[identities]\nalice = { role = 'user', token = 'a$${b}$c' }\n"
    (alice,) = read(text).identities()
    assert alice.credential is not None
    assert alice.credential.token == "a${b}$c"


def test_every_unset_variable_is_a_problem_with_its_path(complain: Complain) -> None:
    problems = complain('[target]\nbase_url = "${A}"\nallow = ["x", "${B}"]\n')
    assert problems == (
        "target.base_url: the environment variable A is not set",
        "target.allow[1]: the environment variable B is not set",
    )


def test_an_unset_variable_that_a_flag_replaces_is_no_problem(read: Read) -> None:
    text = '[target]\nbase_url = "${A}"\n'
    assert read(text, overrides={"target.base_url": "http://127.0.0.1:4"}).target().port == 4


def test_a_flag_is_taken_as_it_is(read: Read) -> None:
    text = "[identities]\nalice = { role = 'user' }\n"
    (alice,) = read(text, overrides={"identities.alice.token": "a${UNSET}"}).identities()
    assert alice.credential is not None
    assert alice.credential.token == "a${UNSET}"


def test_a_variable_that_is_no_name_is_a_problem(complain: Complain) -> None:
    (problem,) = complain('[target]\nbase_url = "${API-URL}"\n')
    assert problem.startswith("target.base_url: '${API-URL}' has a '${' that names no variable")
