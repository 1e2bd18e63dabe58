"""The user scripts in the documentation run against the demo as they stand there."""

import re
from pathlib import Path

import pytest

from tests.demo.running import RunningDemo
from withstand.client.loop import run
from withstand.client.target import parse_target
from withstand.load.engine.run import run_load
from withstand.load.engine.script_file import load_script
from withstand.load.profile.profile import Closed, ConstantRate, Profile

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "user-scripts.md").read_text()
SCRIPTS = [
    script
    for text in (PAGE, (ROOT / "README.md").read_text())
    for script in re.findall(r"^```python\n(.*?)^```$", text, re.M | re.S)
    if "@user" in script
]
FILES = {
    "people.csv": re.findall(r"^```csv\n(.*?)^```$", PAGE, re.M | re.S),
    "searches.jsonl": re.findall(r"^```jsonl\n(.*?)^```$", PAGE, re.M | re.S),
}


@pytest.mark.parametrize("number", range(len(SCRIPTS)))
def test_every_example_runs_without_an_error(
    number: int, demo: RunningDemo, tmp_path: Path
) -> None:
    for name, (text,) in FILES.items():
        (tmp_path / name).write_text(text)
    (tmp_path / "shop.py").write_text(SCRIPTS[number])
    script = load_script(tmp_path / "shop.py")
    target = parse_target(demo.words["url"], verify=False)
    profiles: tuple[Profile, ...] = (
        ConstantRate(rate_per_s=20, duration_s=0.3),
        Closed(users=4, duration_s=0.5),
    )
    for profile in profiles:
        measured = run(run_load(target, script, profile, timeout_s=20))
        assert measured.script is not None
        assert measured.script.exceptions == {}
        assert measured.sent > 0
        assert all(each.rejected == {} for each in measured.operations.values())
        assert all(each.failures == {} for each in measured.operations.values())


def test_the_page_has_examples_of_both_kinds() -> None:
    assert len(SCRIPTS) >= 5
    assert any("async def" not in script for script in SCRIPTS)
