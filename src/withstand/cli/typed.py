"""The command line as it was typed, fit to be printed in a report."""

import shlex
import sys

_SECRET_OPTIONS = ("--header", "--token", "--password")


def typed_command() -> str:
    """`withstand` and its arguments, quoted for a shell; values of secret options are masked."""
    words = ["withstand"]
    for previous, word in zip(["", *sys.argv[1:]], sys.argv[1:], strict=False):
        option, equals, _ = word.partition("=")
        if previous in _SECRET_OPTIONS:
            words.append("***")
        elif equals and option in _SECRET_OPTIONS:
            words.append(f"{option}=***")
        else:
            words.append(shlex.quote(word))
    return " ".join(words)
