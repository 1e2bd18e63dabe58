"""Text from a request comes back as markup in a page."""

import html
from functools import partial
from typing import Final

from withstand.client.exchange import Request, Response
from withstand.openapi.request_builder import Slot
from withstand.scan.check import (
    Check,
    Example,
    Failed,
    Outcome,
    Per,
    References,
    Safety,
    Server,
    Skipped,
    Steps,
    not_applicable,
    shown,
)
from withstand.scan.examples import operation, page, query
from withstand.scan.finding import Severity
from withstand.scan.probes.inputs import (
    inserted,
    judged,
    named,
    probe,
    scalar_slots,
    text_slots,
    usual_value,
)
from withstand.scan.probes.together import cleared
from withstand.scan.subject import Subject

_MARKUP: Final = frozenset({"text/html", "application/xhtml+xml", "image/svg+xml"})
# MIME Sniffing Standard, 7: the types that say nothing.
_UNKNOWN: Final = frozenset({"", "unknown/unknown", "application/unknown", "*/*"})


def applies(subject: Subject) -> Skipped | None:
    return None if _slots(subject) else not_applicable("it takes no text")


def run(subject: Subject) -> Steps[Outcome]:
    marker = _marker(subject)
    clean = yield from cleared(
        subject,
        _slots(subject),
        lambda slot: (inserted(usual_value(subject, slot), marker),),
        lambda exchange: exchange.response is not None and _shows(marker, exchange.response),
    )
    return (yield from judged(subject, _slots(subject), partial(_judge, subject), clean))


def _slots(subject: Subject) -> tuple[Slot, ...]:
    """Texts, and whatever stands in an address: the page that refuses it may show it."""
    texts = text_slots(subject)
    return (
        *texts,
        *(
            slot
            for slot in scalar_slots(subject)
            if slot.location in {"path", "query"} and slot not in texts
        ),
    )


def _judge(subject: Subject, slot: Slot) -> Steps[Failed | bool | None]:
    marker = _marker(subject)
    exchange = yield from probe(subject, slot, inserted(usual_value(subject, slot), marker))
    if exchange is None or exchange.response is None:
        return None
    if not _shows(marker, exchange.response):
        return False
    by_link = exchange.request.method == "GET"
    return Failed(
        detail=f"Markup sent in {named(slot)} comes back unescaped in a response that browsers "
        "show as a page.",
        evidence=(shown("The markup comes back as it was sent", exchange, marker),),
        parameter=named(slot),
        severity=Severity.HIGH if by_link else Severity.MEDIUM,
    )


def _marker(subject: Subject) -> str:
    """An element that nobody's list of allowed ones has."""
    return f"<{subject.nonce()} onclick=1>"


def _shows(marker: str, response: Response) -> bool:
    return marker in response.text and _is_page(response)


def _is_page(response: Response) -> bool:
    """Whether a browser would take the response for HTML. JSON never is, whatever it holds."""
    if (response.header("content-disposition") or "").lower().startswith("attachment"):
        return False
    if response.media_type in _MARKUP:
        return True
    # Without a type browsers guess from the first bytes; text/plain they leave alone.
    sniffing_forbidden = (response.header("x-content-type-options") or "").lower() == "nosniff"
    return response.media_type in _UNKNOWN and not sniffing_forbidden


def vulnerable() -> Server:
    def server(request: Request) -> Response:
        return page(200, f"<h1>Results for {query(request, 'q')}</h1>")

    return server


def safe() -> Server:
    def server(request: Request) -> Response:
        return page(200, f"<h1>Results for {html.escape(query(request, 'q'))}</h1>")

    return server


CHECK = Check(
    name="cross-site-scripting",
    title="Text from a request becomes markup in a page",
    family="input handling",
    severity=Severity.HIGH,
    per=Per.OPERATION,
    safety=Safety.MUTATING,
    references=References(cwe=(79,), owasp=("API8:2023",), asvs=("1.2.1",), wstg=("WSTG-INPV-01",)),
    explanation=(
        "A value from the request is put into an HTML response without escaping, so a link can "
        "carry a script that runs in the reader's browser with the reader's session. The check "
        "sends an element of a name that exists nowhere and looks whether it comes back "
        "unescaped in a response that browsers show as a page. The same text in a JSON response "
        "is no flaw and is not reported."
    ),
    remedy=(
        "Escape every value where it enters the page, best by a template engine that does so by "
        "default. Give the exact Content-Type and `X-Content-Type-Options: nosniff`, and let a "
        "Content-Security-Policy forbid inline scripts as a second line of defence."
    ),
    run=run,
    applies=applies,
    stands_alone=True,
    example=Example(
        paths={"/search": {"get": operation(secured=False, parameters=(("query", "q"),))}},
        vulnerable=vulnerable,
        safe=safe,
    ),
)
