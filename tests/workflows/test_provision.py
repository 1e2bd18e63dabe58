"""Hooks that make and remove users: commands and functions of the team's own."""

import json
import sys
from pathlib import Path

import pytest

from withstand.errors import UsageError
from withstand.workflows.provision import deprovisioned, provisioned


def script(folder: Path, text: str) -> str:
    (folder / "hook.py").write_text(text)
    return f"{sys.executable} hook.py"


def test_a_command_prints_the_fields_and_gets_them_back_to_remove_the_user(tmp_path: Path) -> None:
    make = script(tmp_path, 'print(\'{"email": "n@x.example", "password": "p", "id": 7}\')')
    fields = provisioned(make, tmp_path)
    assert fields == {"email": "n@x.example", "password": "p", "id": "7"}

    remove = script(tmp_path, "import sys; open('gone', 'w').write(sys.stdin.read())")
    deprovisioned(remove, fields, tmp_path)
    assert json.loads((tmp_path / "gone").read_text()) == fields


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("print('p4ssw0rd-in-clear')", "printed no JSON"),
        ("print('[]')", "gave no fields of a user"),
        ("import sys; print('p4ssw0rd-in-clear', file=sys.stderr); sys.exit(3)", "exit code 3"),
    ],
)
def test_what_goes_wrong_is_told_without_what_was_printed(
    tmp_path: Path, text: str, message: str
) -> None:
    with pytest.raises(UsageError, match=message) as caught:
        provisioned(script(tmp_path, text), tmp_path)
    assert "p4ssw0rd" not in str(caught.value)


def test_a_function_that_is_not_there_or_raises_is_told(tmp_path: Path) -> None:
    (tmp_path / "users_of_a_test.py").write_text("def make():\n    raise ValueError('s3cret')\n")
    with pytest.raises(UsageError, match="raised ValueError") as caught:
        provisioned("users_of_a_test:make", tmp_path)
    assert "s3cret" not in str(caught.value)
    with pytest.raises(UsageError, match="there is no hook"):
        provisioned("users_of_a_test:other", tmp_path)
