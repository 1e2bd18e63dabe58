"""What a Python project declares, and which of its extras and groups its tests need. Pure.

Extras and groups that tests do not need are left out: they may exclude one another.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

_FOR_TESTS: Final = frozenset({"ci", "dev", "develop", "development", "test", "testing", "tests"})
_NEEDED: Final = frozenset({"pytest", "withstand"})
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


class Manager(StrEnum):
    """What installs the Python packages of a repository."""

    UV = "uv"
    POETRY = "poetry"
    PDM = "pdm"
    HATCH = "hatch"
    PIPENV = "pipenv"
    PIP = "pip"


@dataclass(frozen=True, slots=True, kw_only=True)
class Declared:
    """`extras` and `groups`: those that tests need and that are not installed unless named.
    `has_withstand`: Withstand is among what is installed with them. `environment`: the one of Hatch
    that tests run in.
    """

    extras: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    has_withstand: bool = False
    environment: str | None = None


def declared(
    manager: Manager | None,
    pyproject: Mapping[str, Any],
    *,
    pipfile: Mapping[str, Any],
    setup_extras: Mapping[str, Any],
    requirements: Iterable[str],
) -> Declared:
    """What `manager` installs by two parsed TOML files, the extras of setup.cfg and the texts of
    requirements files.
    """
    if manager is Manager.PIPENV:
        packages = {*table(pipfile, "packages"), *table(pipfile, "dev-packages")}
        return Declared(has_withstand="withstand" in packages)
    always = _names(table(pyproject, "project").get("dependencies"))
    extras = _named({**setup_extras, **table(pyproject, "project", "optional-dependencies")})
    groups = _named(table(pyproject, "dependency-groups"))
    if manager is Manager.PIP:
        for text in requirements:
            always |= _names(text.splitlines())
    elif manager is Manager.UV:
        always |= _names(table(pyproject, "tool", "uv").get("dev-dependencies"))
        default = table(pyproject, "tool", "uv").get("default-groups", ["dev"])
        for name in list(groups):
            if default == "all" or (isinstance(default, list) and name in default):
                always |= groups.pop(name)
    elif manager is Manager.PDM:  # installs all groups
        groups |= _named(table(pyproject, "tool", "pdm", "dev-dependencies"))
        always = always.union(*groups.values())
        groups = {}
    elif manager is Manager.HATCH:
        environments = hatch_environments(pyproject)
        name = max(environments, key=lambda each: "withstand" in environments[each])
        return Declared(environment=name, has_withstand="withstand" in always | environments[name])
    elif manager is Manager.POETRY:
        poetry = table(pyproject, "tool", "poetry")
        extras |= _named(table(poetry, "extras"))
        always |= _unless_optional(table(poetry, "dependencies"))
        always |= set(table(poetry, "dev-dependencies"))
        own = table(poetry, "group")
        for name in own:
            groups[name] = groups.get(name, set()) | set(table(own, name, "dependencies"))
        for name in list(groups):
            if table(own, name).get("optional") is not True:
                always |= groups.pop(name)
    wanted_extras, wanted_groups = _for_tests(extras), _for_tests(groups)
    installed = always.union(*wanted_extras.values(), *wanted_groups.values())
    return Declared(
        extras=tuple(wanted_extras),
        groups=tuple(wanted_groups),
        has_withstand="withstand" in installed,
    )


def hatch_environments(pyproject: Mapping[str, Any]) -> dict[str, set[str]]:
    """The environments of Hatch that tests can run in, with what is installed there."""
    extras = _named(table(pyproject, "project", "optional-dependencies"))
    found = {}
    for name, settings in table(pyproject, "tool", "hatch", "envs").items():
        chosen = table({name: settings}, name)
        features = chosen.get("features")
        members = _names(chosen.get("dependencies")) | _names(chosen.get("extra-dependencies"))
        for feature in features if isinstance(features, list) else ():
            members |= extras.get(feature, set()) if isinstance(feature, str) else set()
        if _NAME.fullmatch(name) and members & _NEEDED:
            found[name] = members
    return found


def needed_by_tests(requirements: str) -> bool:
    """Whether the text of a requirements file names what tests need."""
    return bool(_names(requirements.splitlines()) & _NEEDED)


def table(document: Mapping[str, Any], *keys: str) -> dict[str, Any]:
    """The table under these keys; an empty one where there is none."""
    found: Any = document
    for key in keys:
        found = found.get(key) if isinstance(found, dict) else None
    return found if isinstance(found, dict) else {}


def _for_tests(parts: Mapping[str, set[str]]) -> dict[str, set[str]]:
    return {
        name: members
        for name, members in parts.items()
        if _NAME.fullmatch(name) and (name.lower() in _FOR_TESTS or members & _NEEDED)
    }


def _named(parts: Mapping[str, Any]) -> dict[str, set[str]]:
    return {name: _names(members) for name, members in parts.items()}


def _names(requirements: object) -> set[str]:
    """The packages that a list of requirements names; what is no text, such as a group that
    another includes, names none."""
    listed = requirements if isinstance(requirements, list) else []
    found = (_NAME.match(each.strip()) for each in listed if isinstance(each, str))
    return {match[0].lower() for match in found if match is not None}


def _unless_optional(packages: Mapping[str, Any]) -> set[str]:
    return {name for name in packages if table(packages, name).get("optional") is not True}
