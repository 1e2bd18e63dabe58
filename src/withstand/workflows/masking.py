"""What of a user's own command may be printed. Pure."""

import re
from typing import Final

_SENSITIVE_NAME: Final = r"(?:token|password|passwd|secret|api[-_]?key)"
# A variable or an option that is called so, and the value after it.
_WITH_VALUE: Final = re.compile(
    rf"(?i)((?:^|[\s'\"])(?:[-\w]*{_SENSITIVE_NAME}[-\w]*=|--[-\w]*{_SENSITIVE_NAME}[-\w]*\s+))"
    r"(?:'[^']*'|\"[^\"]*\"|[^\s'\"]+)"
)


def masked_command(command: str) -> str:
    """A command of the user's own, fit to be printed: values of what is called a token, password,
    secret or key are left out.
    """
    return _WITH_VALUE.sub(r"\1***", command)
