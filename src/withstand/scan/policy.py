"""Who may do what, and what the scan may do: the user's word, as data. Pure."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from withstand.openapi.naming import ID_WORDS, is_plural, words
from withstand.openapi.operation import Operation
from withstand.openapi.path_template import segments
from withstand.openapi.starting_over import starts_over
from withstand.scan.access_matrix import Approved
from withstand.scan.answers.session_end import logout_rank
from withstand.scan.finding import Severity
from withstand.scan.race import Race


class Profile(StrEnum):
    """How far the scan may go."""

    READONLY = "readonly"  # only GET, HEAD and OPTIONS that do not act by their name
    CI = "ci"  # also creates and changes its own throw-away data
    ABUSE = "abuse"  # also floods: brute force, bursts; the default on loopback


DENY_WORDS = (
    "createdb", "reset", "seed", "drop", "purge", "logout", "signout", "delete_account",
    "deleteaccount", "shutdown", "reindex", "truncate", "wipe", "restart", "terminate",
)  # fmt: skip
"""Words in a path or operation id that keep the scan from calling an operation by itself: GET is
not safe, and a mutating call may end the run (`GET /createdb`, `POST /logout`)."""

_ALSO_OF_ONE = frozenset({"drop", "purge", "wipe"})
"""What a developer may call the deletion of a single thing: `DELETE /cards/{id}`, `Cards_drop`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """The user's rules for one scan.

    `access` maps an operation key to the roles that may use it; `public` operations need no
    credential although the document may say so; `never` are not touched. `private` names paths
    whose objects belong to one user. `limits` maps an operation key to the number of failures
    after which it must refuse, and `races` one to what must hold when it is called several times at
    once. `approved` is who may use what as the team approved it, None where it approved
    nothing. Keys are `GET /orders/{id}`; `*` in a key stands for any text.
    """

    access: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    public: tuple[str, ...] = ()
    never: tuple[str, ...] = ()
    private: tuple[str, ...] = ()
    cors_origins: tuple[str, ...] = ()
    limits: Mapping[str, int] = field(default_factory=dict)
    races: Mapping[str, Race] = field(default_factory=dict)
    fail_on: Severity = Severity.MEDIUM
    profile: Profile = Profile.CI
    approved: Approved | None = None

    def allowed_roles(self, operation: Operation) -> tuple[str, ...] | None:
        """The roles that may use the operation; None when nobody said."""
        for pattern, roles in self.access.items():
            if matches(pattern, operation.key):
                return roles
        return None

    def races_with(self, operation: Operation) -> bool:
        """Whether an invariant is named for the operation, or for another that it prepares."""
        return any(
            matches(pattern, operation.key) or race.prepare == operation.key
            for pattern, race in self.races.items()
        )

    def is_public(self, operation: Operation) -> bool:
        """Whether the user accepted that the operation answers without a credential."""
        return any(matches(pattern, operation.key) for pattern in self.public)

    def is_private(self, operation: Operation) -> bool:
        """Whether the user said that the operation's objects belong to one user."""
        return any(
            matches(pattern, operation.path) or matches(pattern, operation.key)
            for pattern in self.private
        )

    def allowed_failures(self, key: str) -> int | None:
        """After how many wrong secrets the operation has to refuse; None when nobody said."""
        return next((n for pattern, n in self.limits.items() if matches(pattern, key)), None)

    def forbids(self, operation: Operation) -> str | None:
        """Why the scan must not call the operation by itself; None when it may."""
        for pattern in self.never:
            if matches(pattern, operation.key):
                return f"{pattern!r} is listed under never"
        said = re.split(r"[^a-z]+", f"{operation.path} {operation.operation_id or ''}".lower())
        if operation.method == "DELETE" and operation.path_parameters:
            said = [word for word in said if word not in _ALSO_OF_ONE]
        joined = re.sub(r"[^a-z]", "", operation.path.lower())
        for word in DENY_WORDS:
            if word in said or (len(word) > 6 and word.replace("_", "") in joined):
                return f"its name contains {word!r}"
        if starts_over(operation):
            return "it may put the whole database back to its beginning"
        if logout_rank(operation) is not None and not operation.path_parameters:
            return "it ends the session of whoever calls it"
        if _removes_all(operation):
            return "it deletes all of them at once"
        if self.profile is Profile.READONLY and not operation.is_read:
            return "the readonly profile sends only GET, HEAD and OPTIONS that do not act by name"
        return None


def _removes_all(operation: Operation) -> bool:
    """Whether no input says what is deleted: `DELETE /orders`, `POST /rpc/deleteAllOrders`."""
    if not operation.removes or operation.path_parameters or not segments(operation.path):
        return False
    last = segments(operation.path)[-1]
    if "all" in words(last):
        return True
    picked = any(words(parameter.name)[-1] in ID_WORDS for parameter in operation.parameters)
    return is_plural(last) and not picked and not operation.bodies


def matches(pattern: str, text: str) -> bool:
    """Whether a key pattern, in which `*` stands for any text, names the text: `POST /api` names
    each of the operations at that address, `POST /api#action=deleteOrder`.
    """
    wanted = re.compile(re.escape(pattern).replace(r"\*", ".*"))
    return any(wanted.fullmatch(each) for each in (text, re.split("[?#]", text)[0]))
