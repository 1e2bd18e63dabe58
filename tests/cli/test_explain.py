"""`withstand explain` shows a check's page."""

from click.testing import CliRunner

from withstand.cli.explain import command
from withstand.report.check_page import check_page
from withstand.scan.catalogue import check_named

NAME = "object-changeable-by-other-user"


def test_outside_of_a_terminal_the_page_is_printed_to_the_letter() -> None:
    result = CliRunner().invoke(command, [NAME])

    assert result.exit_code == 0
    assert result.output == check_page(check_named(NAME)) + "\n"
    assert "\n[security]\n" in result.output
