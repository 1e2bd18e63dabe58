"""The public key of an API's tokens: from a file, or a path on the API."""

from pathlib import Path

import pytest

from withstand.errors import UsageError

from .conftest import Complain, Read

TEXT = "[security]\npublic_key = '{}'\n"
JWKS = '{"keys": [{"kty": "RSA", "n": "AQAB", "e": "AQAB"}]}'


def test_a_file_beside_the_configuration_is_read(read: Read, repository: Path) -> None:
    (repository / "keys.json").write_text(JWKS)
    assert read(TEXT.format("keys.json")).public_key() == JWKS


def test_a_path_on_the_target_stays_one(read: Read) -> None:
    assert read(TEXT.format("/auth/keys")).public_key() == "/auth/keys"
    assert read("").public_key() is None


def test_a_file_that_is_not_there_is_a_problem(complain: Complain) -> None:
    (problem,) = complain(TEXT.format("keys.pem"))
    assert "security.public_key: there is no file" in problem
    assert "starts with '/'" in problem


def test_a_file_without_a_public_key_is_refused(read: Read, repository: Path) -> None:
    (repository / "keys.pem").write_text(
        "-----BEGIN PRIVATE KEY-----\nAA\n-----END PRIVATE KEY-----"
    )
    with pytest.raises(UsageError, match="holds no public key"):
        read(TEXT.format("keys.pem")).public_key()
