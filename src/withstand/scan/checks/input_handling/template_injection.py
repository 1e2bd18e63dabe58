"""Text from a request is taken for a template and worked out."""

import re
from dataclasses import dataclass
from functools import partial
from typing import Final

from withstand.client.exchange import Exchange, Request, Response
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
from withstand.scan.examples import answer, body, operation, sent
from withstand.scan.finding import Confidence, Severity
from withstand.scan.probes.inputs import (
    holds_one_form,
    inserted,
    is_invalid,
    judged,
    left_alone,
    named,
    probe,
    text_slots,
    usual_value,
)
from withstand.scan.probes.together import cleared
from withstand.scan.subject import Subject

_FORMS: Final = (
    "{{%s}}",  # Jinja, Twig, Nunjucks, Angular on the server, Tornado
    "${%s}",  # Freemarker, Mako, Velocity, JSP and Spring expressions
    "<%%= %s %%>",  # ERB, EJS, JSP
    "#{%s}",  # Pug, Slim, Ruby strings, JSF
    "@(%s)",  # Razor
    "{%s}",  # Smarty, Latte
    "[[${%s}]]",  # Thymeleaf
)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Product:
    """A product that only a template engine works out, between marks."""

    mark: str
    one: int
    other: int

    @property
    def marked(self) -> str:
        return f"{self.mark}{self.one * self.other}{self.mark}"

    def text(self, forms: tuple[str, ...]) -> str:
        """The expression in each form, with the mark around it."""
        written = (form % f"{self.one}*{self.other}" for form in forms)
        return self.mark + self.mark.join(written) + self.mark

    def is_in(self, exchange: Exchange) -> bool:
        return exchange.response is not None and self.marked in exchange.response.text


def applies(subject: Subject) -> Skipped | None:
    if not text_slots(subject):
        return not_applicable("it takes no text")
    return left_alone(subject, delete="a DELETE has nothing to show")


def run(subject: Subject) -> Steps[Outcome]:
    every = _a_product(subject)
    clean = yield from cleared(
        subject,
        text_slots(subject),
        lambda slot: (inserted(usual_value(subject, slot), every.text(_FORMS)),),
        every.is_in,
    )
    return (yield from judged(subject, text_slots(subject), partial(_judge, subject), clean))


def _judge(subject: Subject, slot: Slot) -> Steps[Failed | bool | None]:
    # All forms at once: one request for an input that takes none of them for a template.
    exchange, worked_out = yield from _worked_out(subject, slot, _FORMS)
    if exchange is None or exchange.response is None:
        return None
    if worked_out is None:
        if is_invalid(exchange) and holds_one_form(slot):
            return False
        refused = is_invalid(exchange) or exchange.status == 403
        if not refused and exchange.response.status < 500:
            return False
        # Some engines stumble over the forms of others, some filters only over angle brackets.
    for form in _FORMS[:2] if worked_out is None and not _broke(exchange) else _FORMS:
        alone, product = yield from _worked_out(subject, slot, (form,))
        if alone is None or product is None:
            continue
        value = inserted(usual_value(subject, slot), subject.nonce())
        control = yield from probe(subject, slot, value)
        if control is None or control.response is None or product in control.response.text:
            return False
        return Failed(
            detail=f"An expression in {named(slot)}, written as {form % 'a*b'}, is worked out: the "
            "product of two random numbers comes back.",
            evidence=(
                shown(f"The product comes back: {product}", alone, product),
                shown("Plain letters in its place", control),
            ),
            parameter=named(slot),
            confidence=Confidence.CERTAIN,
        )
    return False


def _worked_out(
    subject: Subject, slot: Slot, forms: tuple[str, ...]
) -> Steps[tuple[Exchange | None, str | None]]:
    """What was sent, and the product between its marks where it came back."""
    product = _a_product(subject)
    value = inserted(usual_value(subject, slot), product.text(forms))
    exchange = yield from probe(subject, slot, value)
    return exchange, product.marked if exchange is not None and product.is_in(exchange) else None


def _a_product(subject: Subject) -> _Product:
    nonce = subject.nonce()
    one, other = (1000 + int(nonce[at : at + 6], 16) % 9000 for at in (2, 8))
    return _Product(mark=f"ws{nonce[14:20]}", one=one, other=other)


def _broke(exchange: Exchange) -> bool:
    return exchange.status is not None and exchange.status >= 500


_EXPRESSION: Final = re.compile(r"\{\{(\d+)\*(\d+)\}\}")


def vulnerable() -> Server:
    def server(request: Request) -> Response:
        text = _EXPRESSION.sub(
            lambda match: str(int(match[1]) * int(match[2])), str(sent(request).get("greeting"))
        )
        return answer(200, {"card": f"{text}, dear reader"})

    return server


def safe() -> Server:
    def server(request: Request) -> Response:
        return answer(200, {"card": f"{sent(request).get('greeting')}, dear reader"})

    return server


CHECK = Check(
    name="template-injection",
    title="Text from a request is worked out as a template",
    family="input handling",
    severity=Severity.CRITICAL,
    per=Per.OPERATION,
    safety=Safety.MUTATING,
    references=References(
        cwe=(1336, 94), owasp=("API8:2023",), asvs=("1.3.7",), wstg=("WSTG-INPV-18",)
    ),
    explanation=(
        "The API puts a value into the source of a template instead of handing it over as data, so "
        "whoever sends the value can use the template language: read settings and secrets, and "
        "with most engines run code. The check sends a multiplication of two random numbers in the "
        "forms of the common engines and looks for the product between two marks. The expression "
        "as it was sent proves nothing and is not reported."
    ),
    remedy=(
        "Keep templates in files of your own and hand values to them as variables. Where users "
        "write templates, use a language without logic, such as Mustache, or a sandbox that is "
        "kept up to date."
    ),
    run=run,
    applies=applies,
    stands_alone=True,
    example=Example(
        paths={
            "/cards": {
                "post": operation(
                    secured=False, requestBody=body(greeting={"type": "string", "example": "Hello"})
                )
            }
        },
        vulnerable=vulnerable,
        safe=safe,
    ),
)
