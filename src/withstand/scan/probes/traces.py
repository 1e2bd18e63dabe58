"""Stack traces and debuggers in responses, whatever the language they come from. Pure.

One line that looks like a frame proves nothing: a log message or a text about programming has it.
Two frames of one language do, or the page of a debugger.
"""

import html
import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Any, Final

from withstand.client.exchange import Response
from withstand.scan.answers.shape import leaves

_LONGEST_TEXT: Final = 200_000  # characters looked at: a trace stands near the top
_LINE: Final = r"^[^\S\n]*"

_FRAMES: Final = {
    "Python": re.compile(_LINE + r'File "[^"\n]{1,300}", line \d+', re.M),
    "Java": re.compile(
        _LINE + r"at [\w.$/<>@-]{3,200}\((?:[\w$-]+\.(?:java|kt|scala|groovy|clj):\d+"
        r"|Native Method|Unknown Source)\)",
        re.M,
    ),
    ".NET": re.compile(
        _LINE + r"at [\w`<>\[\],+]+(?:\.[\w`<>\[\],+|]+){1,30}\([^()\n]{0,300}\)"
        r"(?: in [^\n]{1,300}:line \d+)?[^\S\n]*$",
        re.M,
    ),
    "JavaScript": re.compile(
        _LINE + r"at (?:async )?(?:[^\s(\n][^(\n]{0,150}\()?"
        r"(?:file://|node:|webpack|/|[A-Za-z]:\\)[^\s()]{1,300}:\d+:\d+\)?",
        re.M,
    ),
    "PHP": re.compile(
        _LINE + r"#\d+ (?:[^\s()\n]{1,300}\(\d+\): |\{main\}|\[internal function\])", re.M
    ),
    "Ruby": re.compile(r"[\w./-]{1,200}\.rb:\d+:in [`'][^'\n]{1,100}'"),
    "Go": re.compile(r"^\s+/?[^\s:]{1,300}\.go:\d+(?: \+0x[0-9a-f]+)?", re.M),
    "Rust": re.compile(_LINE + r"at [^\s:]{1,300}\.rs:\d+(?::\d+)?", re.M),
    "Elixir": re.compile(r"\([\w]+ \d[\w.-]*\) [\w./-]+\.exs?:\d+: "),
    "Perl": re.compile(r"\bat /[^\s]{1,200}\.p[lm] line \d+"),
}
_PERHAPS: Final = re.compile(
    r"^[^\S\n]*(?:at \S|#\d)|File \"|\.(?:rb|go|rs|exs?):\d|\.p[lm] line ", re.M
)
"""Without this there is no frame: most texts are done with here."""
_HEADINGS: Final = {
    "Python": "Traceback (most recent call last)",
    "PHP": "Stack trace:",
    "Go": "goroutine ",
    "Java": "Exception in thread ",
}
_DEBUGGERS: Final = {
    "the Werkzeug debugger": re.compile(r"EVALEX\s*=|__debugger__=yes|Werkzeug Debugger"),
    "Django's debug page": re.compile(r"you have\s+(?:<code>)?DEBUG = True"),
    "the Whoops debugger": re.compile(r"Whoops\\(?:Handler|Exception)|<title>Whoops! There was an"),
    "the Ignition debugger": re.compile(
        r"window\.ignite\(|(?:facade|spatie)/(?:laravel-)?ignition"
    ),
    "the Rails web console": re.compile(r"data-template=['\"]web-console|Rails\.root: /"),
    "ASP.NET's developer page": re.compile(
        r"unhandled exception occurred (?:while processing the request\."
        r"|during the execution of the current web request)"
    ),
    "Phoenix's debugger": re.compile(r"Plug\.Debugger|plug-debugger"),
    "Symfony's debug page": re.compile(r"class=\"(?:sf-toolbar|trace-line|exception-summary)"),
}
_SOURCE_FILE: Final = re.compile(
    r"\.(?:py|java|kt|scala|cs|fs|vb|m?[jt]sx?|cjs|php|rb|go|rs|exs?|p[lm]|cc?|cpp|swift)$"
)
_FILE_KEYS: Final = ("file", "filename", "fileName", "path", "source")
_LINE_KEYS: Final = ("line", "lineno", "lineNumber", "line_number", "lineNo")


def trace_in(response: Response) -> tuple[str, str] | None:
    """What gives the code away, in words, and the text that shows it; None without any."""
    return _trace_in(response.body)


@lru_cache(maxsize=4096)  # many answers of a scan are the same
def _trace_in(body: bytes) -> tuple[str, str] | None:
    response = Response(status=0, body=body)
    document = response.json()
    if document is None:
        page = response.text[:_LONGEST_TEXT]
        for what, pattern in _DEBUGGERS.items():
            match = pattern.search(page)
            if match is not None:
                return f"a page of {what}", match.group(0)
        text = _plain(page)[:_LONGEST_TEXT]
    else:
        structured = _structured(document)
        if structured is not None:
            return structured
        strings = (value for _, value in leaves(document) if isinstance(value, str))
        text = "\n".join(strings)[:_LONGEST_TEXT]
    if _PERHAPS.search(text) is None:
        return None
    for language, pattern in _FRAMES.items():
        frames = {match.group(0).strip() for match in pattern.finditer(text)}
        headed = bool(frames) and _HEADINGS.get(language, "\0") in text
        if len(frames) >= 2 or headed:
            first = pattern.search(text)
            assert first is not None, "it has frames"
            return f"a stack trace of {language}", first.group(0).strip()
    return None


def _structured(node: Any) -> tuple[str, str] | None:
    """A list of frames, each an object with a source file and a line."""
    for items in _lists(node):
        frames = [frame for item in items if (frame := _frame(item)) is not None]
        if len(frames) >= 2:
            return "a stack trace", frames[0]
    return None


def _frame(item: Any) -> str | None:
    if not isinstance(item, dict):
        return None
    file = next((item[key] for key in _FILE_KEYS if isinstance(item.get(key), str)), None)
    line = next((item[key] for key in _LINE_KEYS if isinstance(item.get(key), int)), None)
    if file is None or line is None or _SOURCE_FILE.search(file) is None:
        return None
    return str(file)


def _lists(node: Any) -> Iterator[list[Any]]:
    waiting = [node]
    while waiting:
        item = waiting.pop()
        if isinstance(item, list):
            yield item
        if isinstance(item, dict | list):
            waiting.extend(item.values() if isinstance(item, dict) else item)


def _plain(text: str) -> str:
    """A page as people see it: frames of Node stand in `<br>` and `&nbsp;`, of Django in tags."""
    if "<" not in text:
        return text
    broken = re.sub(r"(?i)<(?:br|/p|/li|/div|/pre|/tr|li|p)\b[^>]*>", "\n", text[:_LONGEST_TEXT])
    return html.unescape(re.sub(r"<[A-Za-z/!][^>]*>", "", broken)).replace("\xa0", " ")
