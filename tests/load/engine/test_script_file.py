"""Loading user scripts from their files."""

from pathlib import Path

import pytest

from withstand.errors import UsageError
from withstand.load.engine.script_file import load_script

USER = "from withstand.load import feed, user\n@user\nasync def visit(client): ...\n"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "shop.py"


def test_a_script_finds_what_lies_beside_it_and_is_run_anew_each_time(file: Path) -> None:
    (file.parent / "beside_the_script.py").write_text("WEIGHT = 3\n")
    text = (
        "from beside_the_script import WEIGHT\nfrom withstand.load import user\n"
        "@user(weight=WEIGHT)\ndef visit(client): ...\n"
    )
    file.write_text(text)
    assert [(each.name, each.weight) for each in load_script(file).users] == [("visit", 3)]
    file.write_text(text.replace("visit", "other"))
    assert [each.name for each in load_script(file).users] == ["other"]


def test_feeds_are_read_beside_the_script(file: Path) -> None:
    (file.parent / "rows.csv").write_text("a\n1\n")
    file.write_text(USER + 'rows = feed("rows.csv")\n')
    assert load_script(file).feeds[0].rows == [{"a": "1"}]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("x = 1\n", "declares no user"),
        ("import locust\n", "is a locustfile"),
        ("if True:\n    from locust.contrib import fasthttp\n", "is a locustfile"),
        ("def f(:\n", r"shop\.py, line 1 is no Python"),
        ("\n1 / 0\n", r"shop\.py, line 2: the user script cannot be loaded: ZeroDivisionError"),
        ("import no_such_module_anywhere\n", r"ModuleNotFoundError.*\n.*install it"),
        ("raise SystemExit\n", "line 1: the user script cannot be loaded: SystemExit"),
        (
            "from withstand.load import user\n\nuser(weight=-1)(print)\n",
            r"shop\.py, line 3: print",
        ),
        (USER + 'rows = feed("rows.csv")\n', r"the feed .*rows\.csv of .* cannot be read"),
        (USER + 'rows = feed("rows.txt")\n', "line 4: the feed 'rows.txt' is no kind of file"),
    ],
)
def test_what_is_wrong_is_told_with_its_line(file: Path, text: str, says: str) -> None:
    file.write_text(text)
    with pytest.raises(UsageError, match=says):
        load_script(file)


def test_a_file_that_is_not_there_or_no_text_is_refused(file: Path) -> None:
    with pytest.raises(UsageError, match="cannot be read: No such file"):
        load_script(file)
    file.write_bytes(b"\xff\xfe")
    with pytest.raises(UsageError, match="no UTF-8"):
        load_script(file)
