"""Whether a call puts a whole database back to its beginning: `GET /createdb`, `/setup`. Pure.

Training and internal APIs have such a call, often by GET and open to anybody.
"""

import re
from typing import Final

from withstand.openapi.naming import is_plural
from withstand.openapi.operation import Operation
from withstand.openapi.path_template import segments

_BEGINS: Final = (
    r"(?:re)?(?:create|make|build|generate|init|initialize|initialise|seed|populate|fill|setup|set"
    r"|reset|load|import|install|restore|refresh|migrate|clear|clean|empty|flush|drop|wipe|erase)"
)
_ALL: Final = (
    r"(?:the|all|my)?(?:db|databases?|tables|schema|fixtures|defaults"
    r"|(?:db|test|demo|sample|dummy|seed|initial|default|all)data)"
)
_CALL: Final = re.compile(rf"{_BEGINS}{_ALL}|{_ALL}{_BEGINS}")
_ALONE: Final = frozenset(
    {"setup", "install", "init", "initialize", "initialise", "populate", "repopulate", "bootstrap"}
    | {"reinit", "reinitialize", "resetall", "resetapp", "restoreall", "startover", "recreate"}
)
"""What says it without saying of what, where nothing but the API itself comes before it."""
_THE_API: Final = re.compile(r"api|v\d+|admin|system|app|db|database|test|dev|debug|demo|internal")
_SAYS: Final = re.compile(
    r"(?:and |(?:re-?)?(?:creat|populat|initiali[sz]|init|seed|set up|reset|restor|clear|empti"
    r"|empty|drop|wip|rebuild|fill)\w*\s+)+(?:(?:the|a|an|all|whole|entire|local|our|this)\s+){0,3}"
    r"(?:db|database|tables|(?:test|demo|sample|dummy|seed|initial|default) data)\b",
    re.IGNORECASE,
)


def starts_over(operation: Operation) -> bool:
    """Whether the path, the operation's id or its summary says so.

    `POST /databases` and `POST /tables/create` make one of many, and what a path parameter names
    is not everything.
    """
    if operation.path_parameters:
        return False
    parts = [re.sub("[^a-z0-9]", "", part.lower()) for part in segments(operation.path)]
    *before, last = parts or [""]
    if last in _ALONE and all(_THE_API.fullmatch(part) for part in before):
        return True
    adds = operation.method != "GET" and last == "create" and is_plural("".join(before[-1:]))
    if not adds and any(_CALL.fullmatch("".join(parts[-count:])) for count in (1, 2)):
        return True
    if operation.method != "GET" and is_plural(last):
        return False
    named = re.sub("[^a-z0-9]", "", (operation.operation_id or "").lower().rpartition(".")[2])
    return bool(_CALL.fullmatch(named) or _SAYS.match(operation.summary.strip()))
