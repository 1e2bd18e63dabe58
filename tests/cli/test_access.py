"""`withstand access` against the real demo: shown, approved, compared."""

from pathlib import Path

import pytest

from tests.cli.conftest import Invoke, config_of
from tests.demo.running import RunningDemo


@pytest.mark.slow
def test_the_matrix_is_shown_approved_and_then_held_against_the_api(
    invoke: Invoke, folder: Path, demo: RunningDemo
) -> None:
    (folder / "withstand.toml").write_text(config_of(demo))
    approved = folder / "withstand.access.toml"

    shown = invoke("access", "-q", "--approve")
    assert shown.code == 0, shown.said
    assert "GET /admin/users/{id} - - ✓" in shown.said
    text = approved.read_text()
    assert '\n"GET /admin/users/{id}" = ["admin"]\n' in text

    assert invoke("access", "-q").code == 0

    # The file of a build that was stricter: what the API serves now is more than was approved.
    approved.write_text(text.replace('"GET /users" = ["user", "admin"]', '"GET /users" = []'))
    outcome = invoke("access", "-q", "--html", "found.html")
    assert outcome.code == 1, outcome.said
    assert "approved for nobody; it is now open to user and admin too" in outcome.said
    assert "Access matrix" in (folder / "found.html").read_text()


def test_a_role_that_nobody_has_any_more_is_one_sentence_and_can_be_approved_anew(
    invoke: Invoke, folder: Path, demo: RunningDemo
) -> None:
    (folder / "withstand.toml").write_text(config_of(demo))
    approved = folder / "withstand.access.toml"
    approved.write_text('"GET /users" = ["user", "auditor"]\n')

    for verb in ("access", "scan"):
        outcome = invoke(verb, "-q")
        assert outcome.code == 2, outcome.said
        assert outcome.said.count("auditor") == 1
        assert "admin, user" in outcome.said

    assert invoke("scan", "-q", "--check", "version-banner").code == 0
    assert invoke("access", "-q", "--approve", "--profile", "readonly").code == 0
    assert "auditor" not in approved.read_text()


def test_without_an_approved_file_the_next_step_is_said(
    invoke: Invoke, folder: Path, demo: RunningDemo
) -> None:
    (folder / "withstand.toml").write_text(config_of(demo))
    outcome = invoke("access", "-q", "--profile", "readonly")
    assert outcome.code == 0
    assert "nothing is approved yet: --approve writes" in outcome.said
    assert not (folder / "withstand.access.toml").exists()
