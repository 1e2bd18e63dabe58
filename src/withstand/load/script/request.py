"""A user script's request as the bytes that go on the wire. Pure.

Mistakes in a call are ordinary exceptions (TypeError, ValueError): they belong to the script's
line that makes them, and are counted and shown as such.
"""

import base64
import json as json_text
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, MutableMapping
from typing import Any, Final
from urllib.parse import quote, urlencode

Params = Mapping[str, Any] | Iterable[tuple[str, Any]]
Expected = int | Iterable[int] | None

ANY_SUCCESS: Final = frozenset(range(200, 400))
# Keywords of a request: a place of such a name is filled by `values` only.
OPTIONS: Final = frozenset(
    {"params", "json", "data", "content", "headers", "name", "timeout_s"}
    | {"allow_redirects", "expect", "auth", "values"}
)
_PLACEHOLDER: Final = re.compile(r"\{([A-Za-z_][A-Za-z0-9_]*)\}")
# What may stand in a request target besides letters and digits; `%` because it was escaped already.
_IN_A_TARGET: Final = "!#$%&'()*+,-./:;=?@[]_~|^`{}\\\"<>"
_TOKEN: Final = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_NO_VALUE: Final = re.compile(r"[\r\n\0]")
_HAVE_CONTENT: Final = frozenset({"POST", "PUT", "PATCH"})


class HeaderFields(MutableMapping[str, str]):
    """Headers by name in any case. `changed` is called whenever one changes.

    Raises ValueError for a name or a value that no header can have.
    """

    __slots__ = ("_changed", "_fields")

    def __init__(
        self,
        fields: Iterable[tuple[str, str]] = (),
        *,
        changed: Callable[[], None] = lambda: None,
    ) -> None:
        self._fields: dict[str, tuple[str, str]] = {}
        self._changed = changed
        self.update(fields)

    def __getitem__(self, name: str) -> str:
        return self._fields[name.lower()][1]

    def __setitem__(self, name: str, value: str) -> None:
        self._fields[name.lower()] = (name, checked_header(name, value))
        self._changed()

    def __delitem__(self, name: str) -> None:
        del self._fields[name.lower()]
        self._changed()

    def __iter__(self) -> Iterator[str]:
        return (name for name, _ in self._fields.values())

    def __len__(self) -> int:
        return len(self._fields)

    def lines(self) -> bytes:
        """The header lines, each with its end."""
        text = "".join(f"{name}: {value}\r\n" for name, value in self._fields.values())
        return text.encode("utf-8", "surrogateescape")


def checked_header(name: str, value: object) -> str:
    """The value. Raises ValueError for what would break out of its line."""
    if not _TOKEN.fullmatch(name):
        raise ValueError(f"{name!r} is no name of a header")
    if not isinstance(value, str):
        raise TypeError(f"the header {name} has the value {value!r}, which is no text")
    if _NO_VALUE.search(value):
        raise ValueError(f"the header {name} has a line break in its value {value!r}")
    return value


def basic_credential(user: str, password: str) -> str:
    """The value of an Authorization header (RFC 7617)."""
    return f"Basic {base64.b64encode(f'{user}:{password}'.encode()).decode()}"


def expected_statuses(expect: Expected) -> frozenset[int]:
    """The statuses that are no error; without any said, 2xx and 3xx."""
    if expect is None:
        return ANY_SUCCESS
    statuses = frozenset((expect,) if isinstance(expect, int) else expect)
    for status in statuses:
        if type(status) is not int or not 100 <= status <= 999:
            raise ValueError(f"expect={status!r} is no status; give one such as 404, or a set")
    return statuses


def checked_path(path: str) -> str:
    """The path as it can stand in a request line. Raises ValueError for anything but a path."""
    if not path.startswith("/"):
        raise ValueError(
            f"{path!r} is no path on the target: write /orders, and give the target's address "
            f"with -H"
        )
    if path.isascii() and path.isprintable() and " " not in path and "#" not in path:
        return path
    return quote(path.partition("#")[0], safe=_IN_A_TARGET)


def filled(path: str, values: Mapping[str, object]) -> str:
    """The path with `{name}` replaced by values, percent-encoded.

    Raises TypeError for a value without a place and for a place without a value.
    """
    wanted = _PLACEHOLDER.findall(path)
    for name in values:
        if name not in wanted:
            raise TypeError(f"{name}= is no option of a request, and {path!r} has no {{{name}}}")
    for name in wanted:
        if name not in values:
            way = f"values={{{name!r}: …}}" if name in OPTIONS else f"{name}="
            raise TypeError(f"{path!r} needs a value for {{{name}}}: pass {way}")
    return _PLACEHOLDER.sub(lambda found: quote(str(values[found[1]]), safe=""), path)


def with_params(path: str, params: Params | None) -> str:
    """The path with query parameters; a list as a value repeats its name, None leaves it out."""
    if params is None:
        return path
    pairs = params.items() if isinstance(params, Mapping) else params
    query = urlencode([(key, value) for key, value in pairs if value is not None], doseq=True)
    if not query:
        return path
    return f"{path}{'&' if '?' in path else '?'}{query}"


def body_of(
    *, json: object | None, data: Params | None, content: bytes | str | None
) -> tuple[bytes, str | None]:
    """The body and its media type, if one is known. Raises TypeError for two bodies at once."""
    given = [
        name
        for name, value in (("json", json), ("data", data), ("content", content))
        if value is not None
    ]
    if len(given) > 1:
        raise TypeError(f"{'= and '.join(given)}= are two bodies; give one")
    if json is not None:
        text = json_text.dumps(json, ensure_ascii=False, separators=(",", ":"))
        return text.encode("utf-8", "surrogatepass"), "application/json"
    if data is not None:
        pairs: Any = data.items() if isinstance(data, Mapping) else data
        if isinstance(pairs, str | bytes):
            raise TypeError("data= takes the fields of a form; give text or bytes with content=")
        form = urlencode(list(pairs), doseq=True).encode()
        return form, "application/x-www-form-urlencoded"
    if content is not None:
        return content.encode() if isinstance(content, str) else content, None
    return b"", None


def needs_length(method: str, body: bytes) -> bool:
    """Whether the request must say how long its body is."""
    return bool(body) or method in _HAVE_CONTENT


def operation_name(method: str, name: str) -> str:
    """What the report calls a request: a path with its method in front, other names as they are."""
    return f"{method} {name}" if name.startswith("/") else name


def checked_method(method: str) -> str:
    """The method. Raises ValueError for what is none (they are written in capitals)."""
    if not _TOKEN.fullmatch(method) or method != method.upper():
        raise ValueError(f"{method!r} is no method; write GET, POST …")
    return method
