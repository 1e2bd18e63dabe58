"""What pip reads besides pyproject.toml: files of requirements, and setup.cfg. Pure."""

from collections.abc import Mapping
from configparser import ConfigParser
from configparser import Error as ConfigParserError
from contextlib import suppress
from fnmatch import fnmatchcase
from typing import Final

from withstand.starter.declared import needed_by_tests

SETUP: Final = "setup.cfg"
_USUAL: Final = (
    "requirements.txt",
    "requirements-dev.txt",
    "requirements-test.txt",
    "requirements_dev.txt",
    "requirements_test.txt",
    "dev-requirements.txt",
    "test-requirements.txt",
    *(f"requirements/{name}.txt" for name in ("base", "common", "main", "ci", "dev", "test")),
    *(f"requirements/{name}.txt" for name in ("development", "testing", "tests")),
)
_OTHERS: Final = ("*requirements*.txt", "requirements/*.txt")


def may_be_requirements(path: str) -> bool:
    """Whether a file is called as files of requirements are; by its path from the root."""
    return any(
        path.count("/") == pattern.count("/") and fnmatchcase(path, pattern) for pattern in _OTHERS
    )


def requirements_files(files: frozenset[str], texts: Mapping[str, str]) -> tuple[str, ...]:
    """Those that pip is to install: the usual ones, and of others those that tests need."""
    others = sorted(path for path in files.difference(_USUAL) if may_be_requirements(path))
    return (
        *(path for path in _USUAL if path in files),
        *(path for path in others if needed_by_tests(texts.get(path, ""))),
    )


def is_described_by(setup: str) -> bool:
    """Whether the text of setup.cfg describes a package."""
    return _parsed(setup).has_section("options")


def extras_of(setup: str) -> dict[str, list[str]]:
    """Extra → its requirements, by the text of setup.cfg."""
    parser = _parsed(setup)
    section = "options.extras_require"
    extras = parser.items(section) if parser.has_section(section) else ()
    return {name: value.splitlines() for name, value in extras}


def _parsed(text: str) -> ConfigParser:
    parser = ConfigParser(interpolation=None)
    with suppress(ConfigParserError):  # a text that is none says nothing
        parser.read_string(text)
    return parser
