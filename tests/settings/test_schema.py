"""The JSON Schema and the page of the configuration say what the code reads."""

import json
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from .conftest import EXAMPLE

ROOT = Path(__file__).parents[2]
SCRIPT = ROOT / "scripts" / "generate_schema.py"


@pytest.fixture(scope="module")
def validator() -> jsonschema.Draft202012Validator:
    schema = json.loads((ROOT / "withstand.schema.json").read_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


def _as_editors_see(text: str) -> Any:
    """TOML as JSON: days become text, as in the editors' language servers."""
    return json.loads(json.dumps(tomllib.loads(text), default=str))


def test_the_generated_files_are_up_to_date() -> None:
    done = subprocess.run(
        [sys.executable, str(SCRIPT), "--check"], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_the_example_configuration_fits_the_schema(
    validator: jsonschema.Draft202012Validator,
) -> None:
    assert [error.message for error in validator.iter_errors(_as_editors_see(EXAMPLE))] == []


def test_every_default_is_a_value_that_its_key_may_have(
    validator: jsonschema.Draft202012Validator,
) -> None:
    found: list[dict[str, Any]] = []
    waiting: list[Any] = [validator.schema]
    while waiting:
        node = waiting.pop()
        if isinstance(node, dict) and "default" in node:
            found.append(node)
        if isinstance(node, dict | list):
            waiting += node.values() if isinstance(node, dict) else node
    assert found
    for node in found:
        validator.evolve(schema=node).validate(node["default"])


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("[targt]", ""),
        ("[target]\nbas_url = 'x'", "target"),
        ("[target]\nverify = 'no'", "target/verify"),
        ("[target]\ntimeout = 'soon'", "target/timeout"),
        ("[login]\nsend_as = 'Authorization'", "login/send_as"),
        ("[login]\ngrant = 'implicit'", "login/grant"),
        ("[login]\nrequest = 'auth'", "login/request"),
        ("[identities]\na = {}", "identities/a"),
        ("[access]\n'GET x' = ['a']", "access"),
        ("[access]\nnever = ['x']", "access/never/0"),
        ("[slo]\n'get /x' = []", "slo"),
        ("[security]\nfail_on = 'hihg'", "security/fail_on"),
        ("[security]\nlimits = { 'POST /x' = 'ten' }", "security/limits/POST /x"),
        ("[load]\nusers = 0", "load/users"),
        ("[history]\nkeep = '90'", "history/keep"),
        ("[load]\nstages = '30s:200'", "load/stages"),
        ("[load]\nthink_time = '1s..'", "load/think_time"),
    ],
)
def test_the_schema_marks_a_mistake_where_it_is(
    validator: jsonschema.Draft202012Validator, text: str, path: str
) -> None:
    errors = list(validator.iter_errors(_as_editors_see(text)))
    assert ["/".join(str(key) for key in error.absolute_path) for error in errors] == [path]


def test_values_from_variables_fit_the_schema(validator: jsonschema.Draft202012Validator) -> None:
    text = "[target]\ntimeout = '${T}'\n[security]\nfail_on = '${F:-high}'\n"
    assert list(validator.iter_errors(_as_editors_see(text))) == []
