"""Values that an API gave out, kept to be sent back: the ids of what was created or listed. Pure."""

from withstand.client.exchange import Request, Response
from withstand.openapi.operation import Operation, Schema


class ValuePool:
    """What one identity learned from the responses to its own requests. Mutable."""

    def harvest(self, operation: Operation, request: Request, response: Response) -> None:
        """Keeps the ids and named values of a successful response. Never raises."""
        raise NotImplementedError

    def add(self, resource: str, name: str, value: object) -> None:
        """Keeps one value: `add("orders", "id", 42)`."""
        raise NotImplementedError

    def find(self, name: str, *, path: str, schema: Schema | None = None) -> object | None:
        """The latest value for a parameter or property of that name in an operation on `path`.

        None when nothing fitting is known; a value that the schema's type excludes does not fit.
        """
        raise NotImplementedError
