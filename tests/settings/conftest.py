"""A repository to put configuration files in, and the settings or the problems they lead to."""

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from withstand.errors import ConfigurationError
from withstand.settings import Settings, load_settings

Read = Callable[..., Settings]
Complain = Callable[..., tuple[str, ...]]

EXAMPLE = (Path(__file__).parents[2] / "docs" / "example.withstand.toml").read_text()

EXAMPLE_ENVIRON = {
    "API_URL": "http://127.0.0.1:8000",
    "ALICE_PASSWORD": "a-pass",
    "BOB_PASSWORD": "b-pass",
    "ROOT_PASSWORD": "r-pass",
}


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    (tmp_path / ".git").mkdir()
    return tmp_path


@pytest.fixture
def read(repository: Path) -> Read:
    """The settings of a withstand.toml with the given text, in an environment of its own."""

    def read_text(
        text: str,
        environ: Mapping[str, str] | None = None,
        overrides: Mapping[str, str] | None = None,
    ) -> Settings:
        (repository / "withstand.toml").write_text(text)
        return load_settings(start=repository, environ=environ or {}, overrides=overrides)

    return read_text


@pytest.fixture
def complain(read: Read) -> Complain:
    """The problems of the same, all of them."""

    def problems(
        text: str,
        environ: Mapping[str, str] | None = None,
        overrides: Mapping[str, str] | None = None,
    ) -> tuple[str, ...]:
        with pytest.raises(ConfigurationError) as caught:
            read(text, environ, overrides)
        return caught.value.problems

    return problems
