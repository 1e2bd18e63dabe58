"""`withstand doctor` and `--trace` against the real demo."""

from pathlib import Path

from tests.cli.conftest import Invoke, config_of
from tests.demo.running import RunningDemo


def test_the_demo_lacks_nothing_until_nobody_may_call_something(
    invoke: Invoke, folder: Path, demo: RunningDemo
) -> None:
    config = config_of(demo)
    (folder / "withstand.toml").write_text(config)
    outcome = invoke("doctor", "-q", "--trace", "trace.txt")
    assert outcome.code == 0, outcome.said
    assert "✓ throw-away users: the scan can sign up its own" in outcome.said
    trace = (folder / "trace.txt").read_text()
    assert " POST /orders " in trace
    assert "alice-likes-teapots" not in trace + outcome.said

    deletion = '"DELETE /admin/users/{id}" = '
    stricter = config.replace(f'{deletion}["admin"]', f'{deletion}["auditor"]')
    (folder / "withstand.toml").write_text(stricter)
    outcome = invoke("doctor", "-q")
    assert outcome.code == 1
    assert "add an identity of role auditor under [identities]" in outcome.said


def test_a_target_that_is_not_there_is_void(invoke: Invoke, folder: Path) -> None:
    (folder / "api.json").write_text('{"openapi": "3.0.0", "paths": {"/a": {"get": {}}}}')
    outcome = invoke("doctor", "api.json", "--base-url", "http://127.0.0.1:9", "-q")
    assert outcome.code == 3
    assert "does not answer" in outcome.err
