"""Documents and builders that the tests of this folder share."""

import itertools
from collections.abc import Callable
from pathlib import Path

import pytest

from withstand.openapi.document import read_document
from withstand.openapi.operation import Api
from withstand.openapi.request_builder import RequestBuilder

DOCUMENTS = Path(__file__).parent / "documents"


def document(name: str) -> Api:
    return read_document((DOCUMENTS / name).read_bytes(), source=name)


def counting() -> Callable[[], str]:
    """Nonces as the scan makes them, but the same ones in every run."""
    numbers = itertools.count(1)
    return lambda: f"ws{next(numbers):024x}"


@pytest.fixture
def library() -> Api:
    return document("library.yaml")


@pytest.fixture
def clinic() -> Api:
    return document("clinic.json")


@pytest.fixture
def depot() -> Api:
    return document("depot.yaml")


@pytest.fixture
def build_library(library: Api) -> RequestBuilder:
    return RequestBuilder(library, nonce=counting())
