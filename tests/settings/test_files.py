"""Which file is in use, and what is said about one that cannot be read."""

from pathlib import Path

import pytest

from withstand.errors import UsageError
from withstand.settings import load_settings

URL = '[target]\nbase_url = "http://127.0.0.1:{port}"\n'


def _port(start: Path, config_file: Path | None = None) -> int:
    return load_settings(start=start, config_file=config_file, environ={}).target().port


def test_the_nearest_file_upwards_is_used_alone(repository: Path) -> None:
    (repository / "withstand.toml").write_text(URL.format(port=1) + "timeout = '5s'")
    inner = repository / "services" / "shop"
    inner.mkdir(parents=True)
    assert _port(inner) == 1
    (inner / "withstand.toml").write_text(URL.format(port=2))
    assert _port(inner) == 2
    assert load_settings(start=inner, environ={}).timeout_s == 30


def test_withstand_toml_comes_before_pyproject_in_one_directory(repository: Path) -> None:
    (repository / "pyproject.toml").write_text(
        "[tool.withstand.target]\nbase_url = 'http://127.0.0.1:3'\n"
    )
    settings = load_settings(start=repository, environ={})
    assert settings.target().port == 3
    assert settings.source == "[tool.withstand] in pyproject.toml"
    (repository / "withstand.toml").write_text(URL.format(port=4))
    assert _port(repository) == 4


def test_a_pyproject_without_a_table_of_ours_is_passed_over(repository: Path) -> None:
    (repository / "withstand.toml").write_text(URL.format(port=5))
    inner = repository / "inner"
    inner.mkdir()
    (inner / "pyproject.toml").write_text("[project]\nname = 'withstand-user'\n")
    assert _port(inner) == 5


def test_a_broken_pyproject_that_never_mentions_us_is_not_our_matter(repository: Path) -> None:
    (repository / "pyproject.toml").write_text("[project\n")
    assert load_settings(start=repository, environ={}).source is None


def test_the_walk_ends_at_the_root_of_the_repository(tmp_path: Path) -> None:
    (tmp_path / "withstand.toml").write_text(URL.format(port=6))
    repository = tmp_path / "repository"
    inner = repository / "inner"
    inner.mkdir(parents=True)
    assert _port(inner) == 6
    (repository / ".git").write_text("gitdir: elsewhere")  # a worktree has a file there
    assert load_settings(start=inner, environ={}).source is None


def test_a_named_file_is_used_whatever_is_near(repository: Path) -> None:
    (repository / "withstand.toml").write_text(URL.format(port=7))
    (repository / "staging.toml").write_text(URL.format(port=8))
    assert _port(repository, Path("staging.toml")) == 8


def test_a_named_file_that_is_missing_is_an_error(repository: Path) -> None:
    with pytest.raises(UsageError, match=r"no configuration file gone\.toml"):
        load_settings(start=repository, config_file=Path("gone.toml"), environ={})


def test_a_named_pyproject_needs_the_table(repository: Path) -> None:
    (repository / "pyproject.toml").write_text("[project]\nname = 'x'\n")
    with pytest.raises(UsageError, match=r"pyproject\.toml has no table \[tool\.withstand\]"):
        load_settings(start=repository, config_file=Path("pyproject.toml"), environ={})


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("[target]\nbase_url = http://x\n", "withstand.toml:2:12: Invalid value"),
        ("[target]\nallow = [\n", "withstand.toml:3:1: Invalid value"),
        ('[target]\nbase_url = "x', "withstand.toml:2:14: Unterminated string"),
    ],
)
def test_a_syntax_error_names_file_line_and_column(repository: Path, text: str, place: str) -> None:
    (repository / "withstand.toml").write_text(text)
    with pytest.raises(UsageError) as caught:
        load_settings(start=repository, environ={})
    assert caught.value.message == place


def test_a_file_that_is_no_utf_8_names_the_place(repository: Path) -> None:
    (repository / "withstand.toml").write_bytes(b'[target]\nbase_url = "\xe9"\n')
    with pytest.raises(UsageError, match=r"withstand\.toml:2:13: not UTF-8"):
        load_settings(start=repository, environ={})
