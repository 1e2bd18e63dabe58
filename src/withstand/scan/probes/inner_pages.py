"""What answers at paths that no document names: where to look, and how its content gives it away.

A status says nothing, since many servers answer anything; a page counts only by a signature that
an ordinary page cannot have. Pure.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from withstand.client.exchange import Response
from withstand.scan.answers.shape import leaves

PATHS: Final = (
    "debug", "debug/vars", "debug/pprof/", "debug/pprof/heap", "debug/info", "debug/env",
    "debug/config", "debug/users", "_debug", "__debug__/", "_debugbar/open", "console",
    "actuator", "actuator/env", "actuator/heapdump", "actuator/mappings", "actuator/configprops",
    "actuator/threaddump", "actuator/beans", "manage/env", "env", "config", "config.json",
    "settings", "internal", "internal/config", "internal/users", "internal/debug", "private",
    "admin", "admin/users", "admin/config", "admin/debug", "admin/export", "users/export",
    "users/_debug", "export", "dump", "backup", "backup.sql", "dump.sql", "db.sqlite3",
    "database.sql", "metrics", "stats", "status", "server-status", "server-info", "phpinfo.php",
    "info.php", "info", "trace", "logs", "log", "graphql", ".env", ".env.local",
    ".git/HEAD", ".git/config", ".htpasswd", "config.yml", "appsettings.json", "web.config",
)  # fmt: skip
"""About sixty paths below the API's base; a scan asks each once."""

BELOW_PREFIXES: Final = (*(path for path in PATHS if "." not in path), "users")
"""Those also asked below each prefix of the document's paths: `/api/v1/debug/env`. A framework puts
its prefix before every page that is none of a file.
"""

_SECRET: Final = re.compile(
    r"(?:^|[_.\-])(?:secret(?:[_.\-]?key)?|password|passwd|private[_.\-]?key|"
    r"database[_.\-]?url|db[_.\-]?(?:url|uri|pass\w*)|signing[_.\-]?key|connection[_.\-]?string)$",
    re.IGNORECASE,
)
"""Names of settings that are never meant for a browser, unlike an `api_key` for maps."""
_ENV_LINE: Final = re.compile(r"^(?:export )?([A-Z][A-Z0-9_]{2,})=(\S.*)$", re.MULTILINE)
_HASH: Final = re.compile(r"\$2[aby]\$\d\d\$|\$argon2|pbkdf2[_:$]|\$scrypt\$|\{SSHA\}")
_PASSWORD_KEY: Final = re.compile(r"passw(?:or)?d|pwd|password_?hash", re.IGNORECASE)


def signature(response: Response) -> str | None:
    """What a page holds that must not be seen, in a few words; None for an ordinary page."""
    for name, holds in _SIGNATURES.items():
        if holds(response):
            return name
    return None


def other_peoples_addresses(response: Response, addresses: frozenset[str]) -> str | None:
    """Whether JSON data hold the e-mail address of somebody else whom the scan knows."""
    values = {value for _, value in leaves(response.json()) if isinstance(value, str)}
    return "other users' e-mail addresses" if values & addresses else None


def _text(pattern: str, flags: int = 0) -> Callable[[Response], bool]:
    compiled = re.compile(pattern, flags)
    return lambda response: compiled.search(response.text[:200_000]) is not None


def _secrets(response: Response) -> bool:
    """At least two settings, one of them named as a secret and with a value that is not masked."""
    pairs = [(key, value) for key, value in leaves(response.json()) if isinstance(value, str)]
    named = [key for key, value in pairs if _SECRET.search(key) and _has_value(value)]
    return len(pairs) > 1 and bool(named)


def _environment(response: Response) -> bool:
    """Lines of settings with a secret among them, or all that the process was started with."""
    if _looks_like_html(response):
        return False
    names = {key for key, value in leaves(response.json()) if isinstance(value, str) and value}
    if {"PATH", "HOME"} <= names:
        return True
    lines = _ENV_LINE.findall(response.text[:200_000])
    return len(lines) > 1 and any(_SECRET.search(k) and _has_value(v) for k, v in lines)


def _accounts(response: Response) -> bool:
    """Several users with their passwords or the hashes of those."""
    return any(
        isinstance(value, str) and _has_value(value)
        for row in _rows(response.json())
        for key, value in row.items()
        if _PASSWORD_KEY.search(str(key)) or (isinstance(value, str) and _HASH.search(value))
    )


def _rows(document: Any, depth: int = 0) -> Iterator[Mapping[str, Any]]:
    if isinstance(document, list):
        yield from (item for item in document[:50] if isinstance(item, Mapping))
    elif isinstance(document, Mapping) and depth < 3:
        for part in document.values():
            yield from _rows(part, depth + 1)


def _has_value(value: str) -> bool:
    text = value.strip().strip("\"'")
    return (
        len(text) > 3
        and " " not in text
        and not re.fullmatch(
            r"[*x•.\-_#]+|<[^>]*>|\[?(?:redacted|masked|hidden|"
            r"filtered|changeme|none|null|true|false|string)\]?",
            text,
            re.IGNORECASE,
        )
    )


def _looks_like_html(response: Response) -> bool:
    return "html" in response.media_type or response.text.lstrip()[:1] == "<"


def _actuator(response: Response) -> bool:
    document = response.json()
    if not isinstance(document, Mapping):
        return False
    text = json.dumps(document)[:200_000]
    return (
        isinstance(document.get("propertySources"), list)
        or ("contexts" in document and ("mappings" in text or "beans" in text))
        or (isinstance(document.get("threads"), list) and "stackTrace" in text)
    )


def _expvar(response: Response) -> bool:
    document = response.json()
    return isinstance(document, Mapping) and {"cmdline", "memstats"} <= document.keys()


_SIGNATURES: Final[Mapping[str, Callable[[Response], bool]]] = {
    "secrets of the configuration": lambda r: _secrets(r) or _environment(r),
    "users with their passwords or hashes": _accounts,
    "the inner state of a Spring application": _actuator,
    "the memory and command line of the process": _expvar,
    "a dump of the process's memory": lambda r: r.body[:12] == b"JAVA PROFILE",
    "profiles of the process": _text(r"Types of profiles available|^heap profile: \d+", re.M),
    "facts about the process from /proc": _text(r"^VmPeak:\s+\d+ kB|^Threads:\s+\d+$", re.M),
    "a console that runs code": _text(r"EVALEX\s*=\s*true|<title>Console // Werkzeug"),
    "the settings of PHP": _text(
        r"<title>(?:PHP [\d.]+ - )?phpinfo\(\)|<h1 class=\"p\">PHP Version"
    ),
    "the state of the web server": _text(r"<title>Apache Status|<h1>Apache Server (?:Status|Info)"),
    "a Git repository": _text(r"\Aref: refs/heads/\S+\s*\Z|^\s*repositoryformatversion\s*=", re.M),
    "a dump of the database": lambda r: (
        r.body[:15] == b"SQLite format 3"
        or bool(re.search(r"^(?:CREATE TABLE|INSERT INTO) [`\"\w.]+ ", r.text[:200_000], re.M))
    ),
    "password hashes of the web server": _text(r"\A[\w.-]+:\$(?:apr1|2[aby])\$", re.M),
    "a list of files": _text(r"<title>(?:Index of|Directory listing for) /", re.I),
}
