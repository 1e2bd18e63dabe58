"""What is secret in a command of the user's own is not printed."""

import pytest

from withstand.workflows.masking import masked_command


@pytest.mark.parametrize(
    ("command", "printed"),
    [
        ("serve --token abc --port 1", "serve --token *** --port 1"),
        ("serve --password=abc", "serve --password=***"),
        ("DB_PASSWORD='a b' serve", "DB_PASSWORD=*** serve"),
        ("API_KEY=abc serve --api-key abc", "API_KEY=*** serve --api-key ***"),
        ("sh -c 'SECRET=abc serve {port}'", "sh -c 'SECRET=*** serve {port}'"),
        ("serve --port {port}", "serve --port {port}"),
        ("python -m tokenize file", "python -m tokenize file"),
    ],
)
def test_values_of_secrets_are_left_out(command: str, printed: str) -> None:
    assert masked_command(command) == printed
