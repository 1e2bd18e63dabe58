"""Suites made at random, with everything that node ids are made of."""

import random
from pathlib import Path

_ODD = (
    "a b",
    "a::b",
    "[x]",
    "]",
    "é→日本",
    "back\\slash",
    "new\nline",
    "at@db",
    "",
    "-k",
    "a/b.py::test_x",
    "\u2028",
)


def write_suite(directory: Path, seed: int, *, files: int = 3) -> None:
    """Files with plain, parametrised and grouped tests, and with classes within classes."""
    rng = random.Random(seed)
    for number in range(files):
        folder = directory / rng.choice(("", "sub dir", "sub dir/deep"))
        folder.mkdir(parents=True, exist_ok=True)
        lines = ["import pytest", ""]
        for test in range(rng.randint(1, 5)):
            lines += _function(rng, f"test_{test}", indent="")
        for cls in range(rng.randint(0, 2)):
            lines.append(f"class Test{cls}:")
            for test in range(rng.randint(1, 3)):
                lines += _function(rng, f"test_{test}", indent="    ")
            lines += ["    class TestWithin:", "        def test_deep(self): pass", ""]
        (folder / f"test_file_{number}.py").write_text("\n".join(lines), encoding="utf-8")


def _function(rng: random.Random, name: str, *, indent: str) -> list[str]:
    marks, arguments = [], ["self"] if indent else []
    if rng.random() < 0.3:
        marks.append(f"@pytest.mark.xdist_group({rng.choice(('db', 'mail', 'a@b'))!r})")
    if rng.random() < 0.5:
        values = rng.sample(_ODD, rng.randint(1, 5))
        marks.append(f"@pytest.mark.parametrize('value', {values!r})")
        arguments.append("value")
    body = rng.choice(("pass", "pass", "pass", "pytest.skip('not today')"))
    return [f"{indent}{line}" for line in (*marks, f"def {name}({', '.join(arguments)}): {body}")]
