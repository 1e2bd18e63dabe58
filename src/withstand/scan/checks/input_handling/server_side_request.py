"""The server fetches whatever address a request names, also one on its own machine."""

import re
from collections.abc import Callable
from typing import Final
from urllib.parse import urlsplit

from withstand.client.exchange import Exchange, Request, Response
from withstand.openapi.naming import singular, words
from withstand.openapi.request_builder import Slot, Unbuildable
from withstand.scan.access.accounts import changes_an_account, changes_the_caller
from withstand.scan.check import (
    Check,
    Example,
    Failed,
    FailedMany,
    Inconclusive,
    Outcome,
    Passed,
    Per,
    References,
    Safety,
    Server,
    Skipped,
    Steps,
    calls,
    listen,
    not_applicable,
    send,
    shown,
)
from withstand.scan.examples import answer, body, operation, sent
from withstand.scan.finding import Confidence, Severity
from withstand.scan.probes.inputs import is_invalid, named, probing, text_slots, usual_value
from withstand.scan.probes.stalling import stalls
from withstand.scan.probes.triggers import triggers
from withstand.scan.subject import Subject

_LONGEST_WAIT_S: Final = 1.5  # for a fetch that is handed to a queue
_FORMATS: Final = frozenset({"uri", "url", "iri", "uri-reference", "iri-reference"})
_ADDRESSES: Final = frozenset(
    {
        "url", "uri", "link", "href", "src", "image", "img", "picture",
        "photo", "avatar", "icon", "logo", "thumbnail", "banner", "webhook", "callback",
        "hook", "feed", "rss", "site", "website", "homepage", "endpoint", "fetch", "proxy",
        "redirect", "remote", "download", "import", "preview", "attachment", "document", "resource",
    }
)  # fmt: skip
_HOSTS: Final = frozenset({"host", "hostname", "domain", "server", "target"})


def applies(subject: Subject) -> Skipped | None:
    if subject.operation is not None and subject.operation.removes:
        return not_applicable("what a DELETE fetches could not be brought back")
    return None if _slots(subject) else not_applicable("it takes no address")


def run(subject: Subject) -> Steps[Outcome]:
    address = yield from listen()
    if address is None:
        return Inconclusive(
            reason="the target cannot call the scan: only a target on this machine reaches the "
            "listener on 127.0.0.1"
        )
    tried: list[tuple[Slot, str, Exchange]] = []
    for slot in _slots(subject):
        if stalls(subject, slot):
            continue
        tried += yield from _sent(subject, slot, address)
    if not tried:
        return Inconclusive(reason="no input could be tried")
    for _, _, exchange in tried:  # some only keep it, and use it when they are told to
        for request in triggers(subject, exchange):
            yield from send(request, noise_is_answer=True)
    # One wait for all of them: whatever came first, the others have had the same time.
    found = []
    waited_s = _LONGEST_WAIT_S
    for slot, word, exchange in tried:
        came = yield from calls(word, waited_s)
        if came:
            found.append(_fetched(slot, exchange, came[0]))
        else:
            waited_s = 0.0
    once = {failure.parameter: failure for failure in reversed(found)}
    if once:
        return FailedMany(failures=tuple(once.values()))
    if subject.baseline is None and not any(exchange.succeeded for _, _, exchange in tried):
        return Inconclusive(reason="no valid baseline, and no address of the listener was taken")
    return Passed(note="no call came; from a container 127.0.0.1 leads elsewhere")


def _slots(subject: Subject) -> tuple[Slot, ...]:
    return tuple(slot for slot in text_slots(subject) if _takes_address(slot) or _takes_host(slot))


def _takes_address(slot: Slot) -> bool:
    return (
        slot.schema.get("format") in _FORMATS
        or bool(_ADDRESSES & _words(slot))
        or str(slot.schema.get("example", "")).startswith(("http://", "https://"))
    )


def _takes_host(slot: Slot) -> bool:
    return bool(_HOSTS & _words(slot))


def _words(slot: Slot) -> frozenset[str]:
    """The words of the last name that is no index, in the singular: `image_urls.0` takes a URL."""
    named_parts = [part for part in slot.name.split(".") if not part.isdecimal()]
    return frozenset(map(singular, words(named_parts[-1]))) if named_parts else frozenset()


def _sent(subject: Subject, slot: Slot, address: str) -> Steps[list[tuple[Slot, str, Exchange]]]:
    """The listener's address in the input, in other words where the first ones are refused."""
    made = []
    for spelled in _spellings(subject, slot, address):
        word = subject.nonce()
        request = _naming(subject, slot, spelled(word))
        if request is None:
            continue
        # Its own fetch may fail and it may say so with 502: that is an answer here.
        exchange = yield from send(request, noise_is_answer=True)
        made.append((slot, word, exchange))
        if not is_invalid(exchange) and exchange.status != 403:
            break
    return made


def _naming(subject: Subject, slot: Slot, url: str) -> Request | None:
    """The request with this address. What cannot succeed without the internet has no baseline."""
    assert subject.operation is not None, "runs once for each operation"
    if subject.baseline is not None:
        return probing(subject, slot, url)
    operation = subject.operation
    roles = subject.policy.allowed_roles(operation)
    people = [each for each in subject.identities if roles is None or each.role in roles]
    asker = next(iter(people), None)
    slots = subject.builder.slots(operation)
    if changes_an_account(operation) or changes_the_caller(operation, slots):
        asker = subject.throwaway
        if asker is None:
            return None
    try:
        built = subject.build(identity=asker, replace={slot: url})
    except Unbuildable:
        return None
    return asker.authorize(built.request) if asker is not None else built.request


def _spellings(subject: Subject, slot: Slot, address: str) -> tuple[Callable[[str], str], ...]:
    host = address.removeprefix("http://")
    if not _takes_address(slot):
        return (lambda word: f"{host}/{word}", lambda word: f"{address}/{word}")
    # Some look at the end of the name only, and some at the beginning of the address.
    known = subject.baseline is not None
    value = usual_value(subject, slot) if known else str(slot.schema.get("example", ""))
    found = re.match(r"https?://([^/?#@\s]+)(?:/[^?#\s]*?)?(?:\.(\w{1,5}))?(?:[?#]|$)", value)
    allowed, ending = (found[1], found[2] or "png") if found else ("localhost", "png")
    return (
        lambda word: f"{address}/{word}",
        lambda word: f"http://{allowed}@{host}/{word}.{ending}",
        lambda word: f"http://localhost:{host.rpartition(':')[2]}/{word}.{ending}",
    )


def _fetched(slot: Slot, exchange: Exchange, call: Request) -> Failed:
    agent = call.header("user-agent")
    who = f" as {agent}" if agent else ""
    return Failed(
        detail=f"The server fetches the address in {named(slot)}: the scan's own listener on this "
        f"machine got {call.method} {call.path}{who}.",
        evidence=(shown(f"After this the listener got {call.method} {call.path}", exchange),),
        parameter=named(slot),
        confidence=Confidence.CERTAIN,
    )


class _Fetcher:
    """Saves a picture from an address; `fetched` is where it went."""

    def __init__(self, allowed: Callable[[str], bool]) -> None:
        self.fetched: list[str] = []
        self._allowed = allowed

    def __call__(self, request: Request) -> Response:
        url = str(sent(request).get("image_url"))
        if not self._allowed(url):
            return answer(422, {"error": f"pictures from {url} are not taken"})
        self.fetched.append(url)
        return answer(201, {"saved": url})


def vulnerable() -> Server:
    return _Fetcher(lambda url: url.startswith("http"))


def safe() -> Server:
    return _Fetcher(lambda url: urlsplit(url).hostname == "pictures.example.com")


CHECK = Check(
    name="server-side-request-forgery",
    title="The server fetches any address that a request names",
    family="input handling",
    severity=Severity.HIGH,
    per=Per.OPERATION,
    safety=Safety.MUTATING,
    references=References(
        cwe=(918,), owasp=("API7:2023",), asvs=("1.3.6",), wstg=("WSTG-INPV-19",)
    ),
    explanation=(
        "The API takes an address and the server fetches it, also one inside its own network. So "
        "whoever sends it reaches what no firewall lets them reach: the machine's own services, "
        "databases, and the metadata of a cloud with its credentials. The check sends the address "
        "of a listener of the scan with a path that nobody else knows, and reports only when that "
        "path is asked for. It needs a target on this machine; one in a container reaches the "
        "listener only if it shares this machine's network."
    ),
    remedy=(
        "Fetch only from a list of hosts that you know. Where any address must do, resolve the "
        "name first, refuse private, loopback and link-local addresses, connect to the address "
        "that was checked, and do not follow redirects without the same test. Give the fetching "
        "process a network of its own."
    ),
    run=run,
    applies=applies,
    needs_baseline=False,
    example=Example(
        paths={
            "/pictures": {
                "post": operation(
                    secured=False,
                    requestBody=body(
                        image_url={
                            "type": "string",
                            "format": "uri",
                            "example": "https://pictures.example.com/teapot.png",
                        }
                    ),
                )
            }
        },
        vulnerable=vulnerable,
        safe=safe,
    ),
)
