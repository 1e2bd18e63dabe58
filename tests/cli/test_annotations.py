"""What the command line prints where printed lines are commands."""

from pathlib import Path

import pytest

from tests.cli.conftest import Invoke
from tests.report import sample
from withstand.results_file import write_results


@pytest.fixture
def results(folder: Path) -> str:
    write_results(folder / "results.json", sample.with_detail("::add-path::/tmp ##[add-mask]x"))
    return "results.json"


def test_annotations_are_on_stderr_and_the_report_stays_on_stdout(
    invoke: Invoke, results: str
) -> None:
    plain = invoke("report", results)
    annotated = invoke("report", results, "--annotations", "github")
    assert annotated.code == plain.code == 1
    assert annotated.out == plain.out
    commands = [line.split()[0] for line in annotated.err.splitlines()]
    assert (commands[0], set(commands)) == ("::error", {"::error", "::warning"})
    assert "##vso[task.logissue" in invoke("report", results, "--annotations", "azure").err


@pytest.mark.parametrize("variable", ["GITHUB_ACTIONS", "TF_BUILD"])
def test_in_a_pipeline_the_report_itself_holds_no_command(
    invoke: Invoke, results: str, variable: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("GITHUB_ACTIONS", "TF_BUILD"):
        monkeypatch.delenv(name, raising=False)
    assert "##[add-mask]x" in invoke("report", results).said
    monkeypatch.setenv(variable, "true")
    quoted = invoke("report", results).said
    assert "##[" not in quoted
    assert "# #[add-mask]x" in quoted


def test_the_summary_of_a_job_is_a_file_that_is_there_already(
    invoke: Invoke, results: str, folder: Path
) -> None:
    summary = folder / "step_summary"
    summary.touch()
    invoke("report", results, "--markdown", str(summary))
    assert summary.read_text().startswith("## ✗ Failed")
