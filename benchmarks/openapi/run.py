"""Measures how many bodies built from public documents are valid, and writes the page.

    uv run --with "jsonschema[format-nongpl]" python -m benchmarks.openapi.run [FOLDER]

FOLDER keeps the packages for the next time; without it they are fetched into a temporary one.
"""

import json
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path

from benchmarks.openapi.corpus import documents, fetched
from benchmarks.openapi.measure import Measured, measured
from benchmarks.openapi.page import page

RESULTS = Path(__file__).with_name("results.json")
PAGE = Path(__file__).parents[2] / "docs" / "request-building.md"


def main(arguments: list[str]) -> None:
    if "--page-only" in arguments:
        PAGE.write_text(page(json.loads(RESULTS.read_text("utf-8"))), "utf-8")
        return
    if arguments:
        _measure(Path(arguments[0]))
        return
    with tempfile.TemporaryDirectory() as folder:
        _measure(Path(folder))
