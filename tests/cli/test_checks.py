"""`withstand explain` shows a check's page, `withstand checks` all of their names."""

from click.testing import CliRunner

from withstand.cli.checks import command as checks
from withstand.cli.explain import command as explain
from withstand.report.check_page import check_page
from withstand.scan.catalogue import all_checks, check_named

NAME = "object-changeable-by-other-user"


def test_outside_of_a_terminal_the_page_is_printed_to_the_letter() -> None:
    result = CliRunner().invoke(explain, [NAME])

    assert result.exit_code == 0
    assert result.output == check_page(check_named(NAME)) + "\n"
    assert "\n[security]\n" in result.output


def test_outside_of_a_terminal_each_check_has_one_line() -> None:
    result = CliRunner().invoke(checks)

    heading, *lines = result.output.splitlines()
    assert heading.split() == ["check", "severity", "does", "finds"]
    assert [line.split()[0] for line in lines] == [check.name for check in all_checks()]
