"""`withstand init` in repositories on disk."""

from pathlib import Path

import pytest

from tests.cli.conftest import Invoke

WORKFLOW = ".github/workflows/withstand.yml"


@pytest.fixture
def repository(folder: Path) -> Path:
    """With a document, tests and a remote on GitHub."""
    (folder / ".git" / "config").write_text('[remote "origin"]\n\turl = git@github.com:a/b.git\n')
    for name, text in {
        "openapi.yaml": "openapi: 3.1.0\n",
        "tests/test_orders.py": "",
        "requirements.txt": "withstand\n",
        "node_modules/x/openapi.yaml": "openapi: 3.1.0\n",
        ".venv/lib/openapi.yaml": "openapi: 3.1.0\n",
    }.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder


def test_it_writes_a_configuration_and_the_workflow_and_says_what_comes_next(
    invoke: Invoke, repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(repository / "tests")  # the root is found from anywhere
    done = invoke("init", "--shards", "2")
    assert done.code == 0, done.said
    assert "OpenAPI document openapi.yaml, tests for pytest, installed by pip, GitHub" in done.said
    assert f"wrote withstand.toml wrote {WORKFLOW}" in done.said
    assert "next: API_URL=" in done.said
    assert 'openapi = "openapi.yaml"' in (repository / "withstand.toml").read_text()
    assert "shard: [1, 2]" in (repository / WORKFLOW).read_text()


def test_what_is_there_is_written_over_only_with_force(invoke: Invoke, repository: Path) -> None:
    (repository / WORKFLOW).parent.mkdir(parents=True)
    (repository / WORKFLOW).write_text("mine")
    refused = invoke("init")
    assert (refused.code, f"{WORKFLOW} is there already" in refused.said) == (2, True)
    assert (repository / WORKFLOW).read_text() == "mine"
    assert not (repository / "withstand.toml").exists()

    (repository / "withstand.toml").write_text("# mine as well\n")
    assert invoke("init", "--force").code == 0
    assert (repository / WORKFLOW).read_text().startswith("# Written by")
    assert (repository / "withstand.toml").read_text() == "# mine as well\n"


def test_a_document_that_cannot_be_read_is_none(invoke: Invoke, repository: Path) -> None:
    (repository / "openapi.yaml").unlink()
    (repository / "openapi.yaml").symlink_to("nowhere")
    done = invoke("init")
    assert done.code == 0, done.said
    assert "no OpenAPI document" in done.said


def test_a_file_that_cannot_be_written_is_said(invoke: Invoke, repository: Path) -> None:
    (repository / ".github").write_text("a file where a folder has to be")
    done = invoke("init")
    assert (done.code, f"{WORKFLOW} cannot be written" in done.said) == (2, True), done.said


def test_a_dry_run_prints_the_files_and_writes_none(invoke: Invoke, repository: Path) -> None:
    before = sorted(repository.rglob("*"))
    done = invoke("init", "--dry-run", "--ci", "gitlab")
    assert done.code == 0
    assert done.out.startswith("# --- withstand.toml\n")
    assert "# --- .gitlab-ci.yml\n" in done.out
    assert sorted(repository.rglob("*")) == before


def test_a_folder_that_says_nothing_gets_a_configuration_alone(
    invoke: Invoke, folder: Path
) -> None:
    done = invoke("init")
    assert done.code == 0
    assert "withstand init --ci github" in done.said
    assert [path.name for path in folder.iterdir() if path.is_file()] == ["withstand.toml"]


def test_in_a_worktree_the_remote_of_the_repository_counts(
    invoke: Invoke, repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = repository / ".git" / "worktrees" / "side"
    own.mkdir(parents=True)
    (own / "commondir").write_text("../..\n")
    side = tmp_path / "side"
    side.mkdir()
    (side / ".git").write_text(f"gitdir: {own}\n")
    monkeypatch.chdir(side)
    done = invoke("init", "--dry-run")
    assert (done.code, "no Python packages, GitHub" in done.said) == (0, True)

    (own / "commondir").unlink()  # a submodule has its own
    (own / "config").write_text('[remote "origin"]\n\turl = git@gitlab.com:a/b.git\n')
    assert "no Python packages, GitLab" in invoke("init", "--dry-run").said
