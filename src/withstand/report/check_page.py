"""The page of one check, as Markdown: written from the check itself, so that it cannot be wrong."""

import inspect
import textwrap
from collections.abc import Callable, Iterator

from withstand.report.html_view import reference_link
from withstand.report.wording import printable, unnamed_sender
from withstand.scan.check import Check, Per, Server
from withstand.scan.example_run import example_findings
from withstand.scan.finding import Evidence

_LONGEST_CURL = 800
_LONGEST_PATH = 120
_DOES = {
    "read-only": "Sends only requests that read.",
    "mutating": "Creates and changes data of its own, and deletes it where the API allows that.",
    "abusive": "Floods, or locks accounts of its own: on loopback or with `--profile abuse` only.",
    "destructive": "Destroys an object of its own if the flaw is there.",
}


def check_page(check: Check) -> str:
    """The page of a check: what it finds and by which requests, what to do, how to accept it,
    references, and both example servers.
    """
    return "\n".join(
        (
            f"# {check.name}",
            "",
            f"{check.title}.",
            "",
            f"Severity: **{check.severity}** · family: {check.family} · {check.safety}",
            "",
            "## What it looks for",
            "",
            _prose(check.explanation),
            "",
            _DOES[str(check.safety)],
            "",
            *_provoked(check),
            *_requests(check),
            "## What to do",
            "",
            _prose(check.remedy),
            "",
            *_acceptance(check),
            "## References",
            "",
            *(_reference(line) for line in check.references.lines()),
            "",
            "## A server that has the flaw",
            "",
            "```python",
            _source(check.example.vulnerable),
            "```",
            "",
            "## A server that has not",
            "",
            "```python",
            _source(check.example.safe),
            "```",
            "",
        )
    )


def _prose(text: str) -> str:
    """Paragraphs of a triple-quoted text, each on one line."""
    paragraphs = inspect.cleandoc(text).split("\n\n")
    return "\n\n".join(" ".join(paragraph.split()) for paragraph in paragraphs)


def _provoked(check: Check) -> Iterator[str]:
    if check.provoked_by:
        names = ", ".join(f"[{name}]({name}.md)" for name in check.provoked_by)
        yield f"Where it is chosen without them, the scan sends the requests of {names} too."
        yield ""


def _source(server: Callable[[], Server]) -> str:
    """The function that makes the server, after the functions of its own file that it uses."""
    sources = [inspect.getsource(each) for each in (*_used_by(server), server)]
    return "\n\n\n".join(textwrap.dedent(source).strip() for source in sources)


def _used_by(server: Callable[[], Server]) -> Iterator[Callable[..., object]]:
    for each in inspect.getclosurevars(server).globals.values():
        if inspect.isfunction(each) and each.__module__ == server.__module__:
            yield each


def _requests(check: Check) -> Iterator[str]:
    """The proof that the check finds on its own example, request by request."""
    finding = next(iter(example_findings(check)), None)
    if finding is None or not finding.evidence:
        return
    yield from ("## What it sends", "", "On the server with the flaw below, it shows:", "")
    yield from (_sent(item) for item in finding.evidence)
    if finding.proof is not None and 0 < len(finding.proof.curl) <= _LONGEST_CURL:
        yield from ("", "```sh", printable(finding.proof.curl), "```")
    yield ""


def _sent(item: Evidence) -> str:
    request, response = item.exchange.request, item.exchange.response
    name = unnamed_sender(item)
    who = f" as {name}" if name else ""
    answer = f"{response.status}" if response is not None else "no answer"
    path = (
        request.path if len(request.path) <= _LONGEST_PATH else f"{request.path[:_LONGEST_PATH]}…"
    )
    return f"- {item.caption}{who}: `{printable(f'{request.method} {path}')}` → {answer}"


def _acceptance(check: Check) -> Iterator[str]:
    """How a team says that it accepts such a finding."""
    place = ', operation = "GET /some/path"' if check.per is not Per.API else ""
    yield from (
        "## Where it is acceptable",
        "",
        "```toml",
        "[security]",
        "suppress = [",
        f'    {{ check = "{check.name}"{place}, reason = "why", expires = 2027-06-30 }},',
        "]",
        "```",
        "",
        "`fingerprint` in place of `check` means one finding alone. The report shows what is "
        "accepted, and says when a suppression has expired or covers nothing.",
        "",
    )


def _reference(line: str) -> str:
    link = reference_link(line)
    return f"- [{line}]({link})" if link else f"- {line}"
