"""Attributes of a response that cost time to make and that few users look at."""

from collections.abc import Callable
from typing import Any


class Late:
    """An attribute that is made at the first look, and is then one like any other."""

    def __init__(self, make: Callable[[Any], Any]) -> None:
        self._make = make
        self.__doc__ = make.__doc__

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    def __get__(self, response: Any, owner: type) -> Any:
        if response is None:
            return self
        value = response.__dict__[self._name] = self._make(response)
        return value
