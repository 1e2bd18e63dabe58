"""Templates of files in which indentation counts. Pure."""

import re
from collections.abc import Iterable, Mapping


def filled(template: str, words: Mapping[str, str], blocks: Mapping[str, Iterable[str]]) -> str:
    """The template with its `<<names>>` replaced.

    A word stands anywhere in a line. A block has a line to itself, which becomes as many lines as
    the block has, indented alike; without any, the line is gone.
    """
    lines: list[str] = []
    for line in template.splitlines():
        match = re.fullmatch(r"( *)<<([a-z_]+)>>", line)
        if match is not None and match[2] in blocks:
            lines += [f"{match[1]}{each}".rstrip() for each in blocks[match[2]]]
        else:
            lines.append(re.sub("<<([a-z_]+)>>", lambda found: words[found[1]], line))
    return "\n".join(lines) + "\n"
