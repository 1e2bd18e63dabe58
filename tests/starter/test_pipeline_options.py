"""Every option in a pipeline that `init` writes is one of the command that it stands behind."""

import re
import shlex
from typing import Any

import click
import pytest

from tests.starter.test_plan import KINDS, pipeline
from withstand.cli import cli
from withstand.starter.project import CiSystem


def commands(text: str) -> set[tuple[str, ...]]:
    """The words of each line of a pipeline that runs withstand or pytest, from that word on."""
    joined = text.replace("\\\n", " ")
    found = re.findall(r"^.*?((?:withstand check|(?<!--expect )pytest) --?\S.*)$", joined, re.M)
    found += re.findall(r"^.*?(withstand merge .*)$", joined, re.M)
    return {tuple(shlex.split(re.split(r"\|\||2>&1", line)[0])) for line in found}


@pytest.mark.parametrize("system", CiSystem)
def test_pipelines_use_options_that_there_are(
    system: CiSystem, request: pytest.FixtureRequest
) -> None:
    known: dict[str, Any] = {
        name: {option for each in command.params for option in each.opts}
        for name in ("check", "merge")
        if (command := cli.get_command(click.Context(cli), name)) is not None
    }
    parser: Any = request.config._parser
    known["pytest"] = {
        name
        for group in (parser._anonymous, *parser._groups)
        for option in group.options
        for name in option.names()
    }
    lines = {line for project in KINDS for line in commands(pipeline(project, system))}
    assert {line[0] if line[0] == "pytest" else line[1] for line in lines} == known.keys()
    for line in lines:
        program = line[0] if line[0] == "pytest" else line[1]
        used = {word.split("=")[0] for word in line if word.startswith("--")}
        assert used <= known[program], line
