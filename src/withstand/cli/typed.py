"""The command line as it was typed, fit to be printed in a report."""

import re
import shlex
import sys
from typing import Final

from withstand.workflows.masking import masked_command

_SECRET_OPTIONS = ("--header", "--token", "--password")
_STARTS: Final = ("--start-a", "--start-b")
_CREDENTIAL_OF_PROXY: Final = re.compile(r"^((?:--proxy=)?(?:\w+://)?)[^/@]*@")


def typed_command() -> str:
    """`withstand` and its arguments, quoted for a shell; values of secret options are masked, and
    so is a proxy's credential.
    """
    words = ["withstand"]
    for previous, word in zip(["", *sys.argv[1:]], sys.argv[1:], strict=False):
        option, equals, _ = word.partition("=")
        if previous in _SECRET_OPTIONS:
            words.append("***")
        elif equals and option in _SECRET_OPTIONS:
            words.append(f"{option}=***")
        else:
            if {previous, option} & set(_STARTS):
                word = masked_command(word)
            if "--proxy" in (previous, option):
                word = _CREDENTIAL_OF_PROXY.sub(r"\1***@", word)
            words.append(shlex.quote(word))
    return " ".join(words)
