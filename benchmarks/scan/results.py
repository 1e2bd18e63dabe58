"""The measurements, in one file that the page is made from."""

import json
from pathlib import Path
from typing import Any

FILE = Path(__file__).with_name("results.json")


def read() -> dict[str, Any]:
    """All measurements, by what was measured."""
    found: dict[str, Any] = json.loads(FILE.read_text()) if FILE.exists() else {}
    return found


def keep(name: str, measured: Any) -> None:
    """Puts a measurement in the place of the one before, and writes the page."""
    from benchmarks.scan.page import write

    FILE.write_text(json.dumps(read() | {name: measured}, indent=1) + "\n")
    write()
