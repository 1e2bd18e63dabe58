"""The examples of docs/pytest.md run as they are, with limits that no busy machine comes near."""

import re
from pathlib import Path

import pytest

from .conftest import LoginApi, RunProject, write_configuration

PAGE = Path(__file__).parents[2] / "docs" / "pytest.md"


@pytest.mark.slow
def test_the_examples_of_the_page_run(
    run: RunProject, project: pytest.Pytester, login_api: LoginApi
) -> None:
    write_configuration(project, login_api.configuration())
    examples = re.findall(r"^```python\n(.*?)^```$", PAGE.read_text(), re.M | re.S)
    assert len(examples) == 2
    for number, example in enumerate(examples):
        file = project.path / f"test_example_{number}.py"
        file.write_text(example.replace('"200ms"', '"10min"'))

    result = run()

    result.assert_outcomes(passed=3)
    result.stdout.fnmatch_lines_random(["met: test_example_?.py::*: p95<600s: p95 *"] * 3)
