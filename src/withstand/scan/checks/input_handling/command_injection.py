"""Text from a request is run as a command of the operating system."""

import re
from collections.abc import Iterator
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
    calls,
    listen,
    not_applicable,
    shown,
)
from withstand.scan.examples import answer, operation, query
from withstand.scan.finding import Confidence, Severity
from withstand.scan.probes.inputs import (
    choice_slots,
    holds_one_form,
    inserted,
    is_invalid,
    is_number,
    judged,
    left_alone,
    named,
    number_slots,
    probe,
    text_slots,
    usual_value,
)
from withstand.scan.probes.together import cleared
from withstand.scan.subject import Subject


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sum:
    """A word with a sum in it that only a shell works out: an echo of it would show the sum."""

    word: str
    one: int
    other: int

    @property
    def echo(self) -> str:
        """The command; PowerShell reads `$((…))` as other shells do."""
        return f"echo {self.word}$(({self.one}+{self.other}))x"

    @property
    def printed(self) -> re.Pattern[str]:
        """What a shell makes of it; cmd.exe prints the first as it is, then the product."""
        literal = re.escape(f"{self.word}$(({self.one}+{self.other}))x")
        return re.compile(
            rf"{self.word}{self.one + self.other}x|{literal}\s*{self.one * self.other}\b"
        )

    def is_printed(self, exchange: Exchange) -> bool:
        """Whether an answer has what a shell prints."""
        response = exchange.response
        return response is not None and self.printed.search(response.text) is not None

    def calling(self, address: str) -> str:
        """A command that calls the scan's listener at a path that a shell works out."""
        url = f"{address}/{self.word}$(({self.one}+{self.other}))"
        return f"(curl -sm2 {url}||wget -qT2 -O- {url})"

    @property
    def in_path(self) -> str:
        """The end of a path that a shell has worked out."""
        return f"{self.word}{self.one + self.other}"


def applies(subject: Subject) -> Skipped | None:
    if not _slots(subject):
        return not_applicable("it takes no text and no number")
    return left_alone(subject, delete="what a DELETE does beyond its object could not be undone")


def run(subject: Subject) -> Steps[Outcome]:
    address = yield from listen()
    clean = yield from _cleared(subject, address)
    return (yield from judged(subject, _slots(subject), partial(_judge, subject, address), clean))


def _slots(subject: Subject) -> tuple[Slot, ...]:
    return (*text_slots(subject), *number_slots(subject), *choice_slots(subject))


def _cleared(subject: Subject, address: str | None) -> Steps[frozenset[Slot]]:
    """The inputs of a creation in which no command is run, all tried at once."""
    sum_ = _a_sum(subject)

    def tries(slot: Slot) -> Iterator[str]:
        value = usual_value(subject, slot)
        yield from (text for _, text in _ways_in(value, sum_))
        if address is not None:
            yield inserted(value, _in_any_quotes(sum_.calling(address)))

    slots = [slot for slot in text_slots(subject) if not holds_one_form(slot)]
    clean = yield from cleared(subject, slots, tries, sum_.is_printed, refusal_clears=True)
    if clean and address is not None and (yield from calls(sum_.in_path)):
        return frozenset()
    return clean


def _judge(subject: Subject, address: str | None, slot: Slot) -> Steps[Failed | bool | None]:
    tried = False
    sum_ = _a_sum(subject)
    for how, text in _ways_in(usual_value(subject, slot), sum_):
        exchange = yield from probe(subject, slot, text)
        if exchange is None or exchange.response is None:
            continue
        tried = True
        printed = sum_.printed.search(exchange.response.text)
        if printed is not None:
            return Failed(
                detail=f"A command {how} in {named(slot)} is run: it prints a sum that was never "
                "sent.",
                evidence=(shown(f"The command prints {printed.group(0)}", exchange, printed[0]),),
                parameter=named(slot),
                confidence=Confidence.CERTAIN,
            )
        if is_invalid(exchange) and (is_number(slot) or holds_one_form(slot)):
            return False
    if tried and address is not None:
        failure = yield from _unseen(subject, slot, address)
        if failure is not None:
            return failure
    return False if tried else None


def _unseen(subject: Subject, slot: Slot, address: str) -> Steps[Failed | None]:
    """A command whose output nobody shows: it calls the scan."""
    sum_ = _a_sum(subject)
    text = inserted(usual_value(subject, slot), _in_any_quotes(sum_.calling(address)))
    exchange = yield from probe(subject, slot, text)
    if exchange is None:
        return None
    came = yield from calls(sum_.in_path)
    return _called(slot, exchange, came[0]) if came else None


def _called(slot: Slot, exchange: Exchange, call: Request) -> Failed:
    return Failed(
        detail=f"A command in {named(slot)} is run: it called the scan's own listener "
        f"({call.method} {call.path}) at a path with a sum that was never sent.",
        evidence=(shown(f"After this {call.path} was called", exchange),),
        parameter=named(slot),
        confidence=Confidence.CERTAIN,
    )


def _ways_in(value: str, sum_: _Sum) -> Iterator[tuple[str, str]]:
    """How a command may follow a value, or stand for it. Each needs other characters to pass."""
    echo = sum_.echo
    yield "behind a semicolon", inserted(value, _in_any_quotes(echo))
    yield "behind a pipe", inserted(value, f"|{echo}")
    yield "in a substitution", inserted(value, f"$({echo})`{echo}`")
    yield "on a line of its own", inserted(value, f"\n{echo}\n")
    # cmd.exe knows `&` as well; where `&&` runs, it does too, also if the first command fails.
    yield "behind an ampersand", inserted(value, f"&{echo}&set /a {sum_.one}*{sum_.other}")
    yield "by itself", echo


def _in_any_quotes(command: str) -> str:
    """Behind a bare value, inside '…' and inside "…": what is left over is a comment."""
    return f";{command};#';{command};#\";{command};#"


def _a_sum(subject: Subject) -> _Sum:
    nonce = subject.nonce()
    one, other = (1000 + int(nonce[at : at + 6], 16) % 9000 for at in (2, 8))
    return _Sum(word=f"ws{nonce[14:22]}", one=one, other=other)


_ECHO: Final = re.compile(r"[;|&`\n(]\s*echo ([^;|&`\n#)]*)\$\(\((\d+)\+(\d+)\)\)(\w*)")


def _shell(line: str) -> str:
    """What a shell prints, if all that it can do is ping and echo."""
    echoed = [f"{word}{int(a) + int(b)}{rest}" for word, a, b, rest in _ECHO.findall(line)]
    return "\n".join(("1 packet received", *echoed))


def vulnerable() -> Server:
    def server(request: Request) -> Response:
        return answer(200, {"output": _shell(f"ping -c 1 {query(request, 'host')}")})

    return server


def safe() -> Server:
    def server(request: Request) -> Response:
        host = query(request, "host")
        if re.fullmatch(r"[a-z0-9.-]+", host) is None:
            return answer(422, {"error": f"{host} is no host name"})
        return answer(200, {"output": _shell(f"ping -c 1 {host}")})

    return server


CHECK = Check(
    name="command-injection",
    title="Text from a request is run as a command",
    family="input handling",
    severity=Severity.CRITICAL,
    per=Per.OPERATION,
    safety=Safety.MUTATING,
    references=References(
        cwe=(78, 77), owasp=("API8:2023",), asvs=("1.2.5",), wstg=("WSTG-INPV-12",)
    ),
    explanation=(
        "The API hands a value to a shell as part of a command line, so whoever sends the value "
        "can run programs with the rights of the server. The check writes a command behind the "
        "usual value, in its place, and out of quotes: it prints a sum of two random numbers. Only "
        "the result is proof, because an echo of the input would show the sum as it was sent. On a "
        "target of this machine it also has the command call a listener of the scan, which finds "
        "commands whose output nobody sees."
    ),
    remedy=(
        "Start programs without a shell, with a list of arguments, and put `--` before values that "
        "might begin with a dash. Better, use a library in place of the program. Allow only the "
        "characters that the value needs; taking out single ones is no cure."
    ),
    run=run,
    applies=applies,
    stands_alone=True,
    example=Example(
        paths={
            "/ping": {
                "get": operation(
                    secured=False, parameters=(("query", "host"),), example="localhost"
                )
            }
        },
        vulnerable=vulnerable,
        safe=safe,
    ),
)
