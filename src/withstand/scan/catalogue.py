"""Every check there is: each module below `scan/checks/` with a `CHECK`, by name."""

import pkgutil
from difflib import get_close_matches
from functools import cache
from importlib import import_module

from withstand.errors import UsageError
from withstand.scan import checks
from withstand.scan.check import Check


@cache
def all_checks() -> tuple[Check, ...]:
    """The catalogue in the order of families, then names."""
    found = []
    for module in pkgutil.walk_packages(checks.__path__, checks.__name__ + "."):
        check = getattr(import_module(module.name), "CHECK", None)
        if isinstance(check, Check):
            found.append(check)
    return tuple(sorted(found, key=lambda check: (check.family, check.name)))


def check_named(name: str) -> Check:
    """The check of that name. Raises UsageError with the nearest names."""
    by_name = {check.name: check for check in all_checks()}
    if name in by_name:
        return by_name[name]
    part_of = [known for known in by_name if name and name in known][:3]
    near = part_of or get_close_matches(name, by_name, n=3, cutoff=0.5)
    hint = f"did you mean {' or '.join(near)}?" if near else "`withstand checks` lists them all"
    raise UsageError(f"there is no check named {name!r}", hint=hint)


def chosen(only: tuple[str, ...] = (), without: tuple[str, ...] = ()) -> tuple[Check, ...]:
    """The checks of a run: all, or just `only`, less `without`. Raises UsageError."""
    wanted = tuple(check_named(name) for name in only) or all_checks()
    unwanted = {check_named(name).name for name in without}
    return tuple(check for check in wanted if check.name not in unwanted)


def provoking(only: tuple[str, ...], without: tuple[str, ...] = ()) -> tuple[Check, ...]:
    """The checks that `only` does not name, but whose requests those that it names wait for."""
    wanted = {name for each in only for name in check_named(each).provoked_by}
    return tuple(check for check in all_checks() if check.name in wanted - {*only, *without})
