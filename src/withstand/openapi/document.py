"""Reading an OpenAPI document: bytes → `Api`. Pure; who calls fetched the bytes."""

from withstand.openapi.operation import Api


def read_document(data: bytes, *, source: str) -> Api:
    """The API that an OpenAPI 3.0, 3.1 or Swagger 2.0 document describes, in JSON or YAML.

    `source` is the file name or address that messages name. Raises `UsageError` for anything
    that is no such document.
    """
    raise NotImplementedError
