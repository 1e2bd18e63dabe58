"""Which versions of Locust the plug-in knows. Pure."""

import re
from typing import Final

OLDEST: Final = (2, 43)
BEFORE: Final = (3,)


def require_known_locust(version: str) -> None:
    """Ends the process with a sentence for a Locust that is too old or too new."""
    numbers = tuple(map(int, re.findall(r"\d+", version)[:3]))
    if OLDEST <= numbers < BEFORE:
        return
    known = f"{'.'.join(map(str, OLDEST))} and newer, before {'.'.join(map(str, BEFORE))}"
    raise SystemExit(
        f"Error: this is Locust {version}, and Withstand knows {known}\n"
        f'  → install one of these: pip install "withstand[locust]"'
    )
