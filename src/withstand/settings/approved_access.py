"""The file in which a team approves who may use which operation, read and written.

One line an operation, so that a change of access is a one-line diff:

    "GET /orders/{id}" = ["user", "admin"]
"""

import json
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

from withstand.errors import UsageError
from withstand.scan.access_matrix import ANONYMOUS, UNCLEAR_MARK, Approved

_HEAD: Final = f"""\
# Who may use which operation, as approved. Written by `withstand access --approve`; keep it in the
# repository and review its diff. A role with a {UNCLEAR_MARK} could not be tried.

"""


def read_approved(path: Path) -> Approved | None:
    """What the file approves; None where there is none. Raises UsageError when it says nothing of
    the kind.
    """
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except OSError as error:
        raise _unreadable(path, error.strerror or "it cannot be read") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise _unreadable(path, str(error)) from None
    for key, roles in document.items():
        if not isinstance(roles, list) or not all(isinstance(role, str) for role in roles):
            raise _unreadable(path, f"{key!r} is no list of roles")
    return {key: tuple(roles) for key, roles in document.items()}


def require_known_roles(path: Path, approved: Approved, roles: Iterable[str]) -> None:
    """Raises UsageError where the file names roles that nobody has: what was approved for them
    would be held against others, an operation at a time.
    """
    known = sorted({*roles})
    named = {role.removesuffix(UNCLEAR_MARK) for allowed in approved.values() for role in allowed}
    unknown = sorted(named - {*known, ANONYMOUS})
    if unknown:
        raise UsageError(
            f"{path} approves operations for {', '.join(unknown)}, and no identity has such a role "
            f"(there is {', '.join(known) or 'none'})",
            hint="correct the roles under [identities], or run `withstand access --approve`",
        )


def approved_text(approved: Mapping[str, tuple[str, ...]]) -> str:
    """The file that approves this. Pure."""
    lines = (
        f"{_string(key)} = [{', '.join(map(_string, roles))}]\n" for key, roles in approved.items()
    )
    return _HEAD + "".join(lines)


def _string(text: str) -> str:
    # A JSON string in ASCII is a TOML one, but for DEL, which TOML wants escaped.
    return json.dumps(text).replace("\x7f", "\\u007f")


def _unreadable(path: Path, why: str) -> UsageError:
    return UsageError(
        f"{path} does not say who may use which operation: {why}",
        hint="mend it, or remove it and run `withstand access --approve`",
    )
