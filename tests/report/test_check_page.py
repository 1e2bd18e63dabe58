"""A check's page tells what it sends, what to do and how to accept it."""

import ast
import re
from functools import cache

import pytest

from withstand.report.check_page import check_page
from withstand.scan.catalogue import all_checks, check_named
from withstand.scan.check import Check
from withstand.scan.example_run import example_findings

CHECKS = pytest.mark.parametrize("check", all_checks(), ids=lambda check: check.name)


@cache
def page_named(name: str) -> str:
    return check_page(check_named(name))


def page_of(check: Check) -> str:
    return page_named(check.name)


@CHECKS
def test_both_servers_on_a_page_are_code_that_python_reads(check: Check) -> None:
    sources = re.findall(r"```python\n(.*?)```", page_of(check), re.S)
    assert len(sources) == 2
    for source in sources:
        ast.parse(source)


@CHECKS
def test_a_page_says_how_a_finding_is_accepted(check: Check) -> None:
    (text,) = re.findall(r"```toml\n(.*?)```", page_of(check), re.S)
    assert f'check = "{check.name}"' in text


def test_a_page_shows_the_requests_that_prove_the_flaw() -> None:
    page = page_of(check_named("object-readable-by-other-user"))
    assert "- bob gets it too: `GET /orders/" in page
    assert "curl --include" in page
    assert "[CWE-639](https://cwe.mitre.org/data/definitions/639.html)" in page


def test_the_example_is_the_same_every_time() -> None:
    check = check_named("sql-injection")
    assert example_findings(check) == example_findings(check)
