"""Whether a user's own code has a hand in how requests of requests are sent.

Sessions can be subclassed, their methods replaced, in one session or for all of them, and their
adapters exchanged: by instrumentation, for signatures, in tests. Whoever does so wants requests
itself to send, and is not to be passed over.
"""

from collections import OrderedDict
from types import FunctionType
from typing import Any, Final

import requests.adapters
import requests.sessions
from requests import Session
from requests.adapters import HTTPAdapter

METHODS: Final = (
    "send",
    "prepare_request",
    "merge_environment_settings",
    "get_adapter",
    "resolve_redirects",
    "_send_request_safe_mode",
    "_build_url",
)
"""What a request goes through in a session of Locust's."""

_OF_REQUESTS: Final = (
    (Session, "request", requests.sessions.__file__),
    (Session, "send", requests.sessions.__file__),
    (Session, "prepare_request", requests.sessions.__file__),
    (HTTPAdapter, "send", requests.adapters.__file__),
)


class Replaceable:
    """A method of the base class. A session in which it is replaced leaves all to requests."""

    def __set_name__(self, owner: type, name: str) -> None:
        self._owner, self._name = owner, name

    def __get__(self, session: Any, cls: type) -> Any:
        if session is None:
            return getattr(super(self._owner, cls), self._name)
        own = session.__dict__.get(self._name)
        return own if own is not None else getattr(super(self._owner, session), self._name)

    def __set__(self, session: Any, value: Any) -> None:
        session.__dict__[self._name] = value
        session.has_own_transport = True

    def __delete__(self, session: Any) -> None:
        try:
            del session.__dict__[self._name]
        except KeyError:
            raise AttributeError(self._name) from None


class WatchedAdapters(OrderedDict[str, Any]):
    """The adapters of a session; `changed` once one was exchanged."""

    changed = False

    def __setitem__(self, key: str, value: Any) -> None:
        super().__setitem__(key, value)
        self.changed = True

    def __delitem__(self, key: str) -> None:
        super().__delitem__(key)
        self.changed = True


def is_patched() -> bool:
    """Whether somebody has put another function in the place of one of requests' own."""
    for owner, name, file in _OF_REQUESTS:
        method = vars(owner)[name]
        if type(method) is not FunctionType or method.__code__.co_filename != file:
            return True
    return False


def overrides(cls: type, base: type) -> bool:
    """Whether a class has ways of sending that are not those of the base class."""
    return any(_found(cls, name) is not _found(base, name) for name in METHODS)


def _found(cls: type, name: str) -> Any:
    return next((vars(each)[name] for each in cls.__mro__ if name in vars(each)), None)
