"""Which versions of Locust the plug-in knows. Pure."""

import re
from typing import Final

OLDEST: Final = (2, 43)
BEFORE: Final = (3,)


def numbers_of(version: str) -> tuple[int, ...]:
    """The first three numbers of a version, to be compared."""
    return tuple(map(int, re.findall(r"\d+", version)[:3]))


def require_known_locust(version: str | None) -> None:
    """Ends the process with a sentence for a Locust that is too old, too new or not there."""
    if version is not None and OLDEST <= numbers_of(version) < BEFORE:
        return
    found = "there is no Locust here" if version is None else f"this is Locust {version}"
    known = f"{'.'.join(map(str, OLDEST))} and newer, before {'.'.join(map(str, BEFORE))}"
    raise SystemExit(
        f"Error: {found}, and Withstand knows {known}\n"
        f'  → install one of these: pip install "withstand[locust]"'
    )
