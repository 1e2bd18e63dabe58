"""How the club's pages look: a heading, one message, and forms with a hidden field each."""

from collections.abc import Mapping, Sequence

from flask import Response, g, redirect, request
from markupsafe import Markup, escape

from tests.club.visitors import Visitor


def visitor() -> Visitor:
    """Who asks: a session of the club's, with or without a member."""
    found: Visitor = g.visitor
    return found


def page(title: str, *parts: Markup, status: int = 200) -> Response:
    """A whole page; the message of the last request is shown once."""
    message, visitor().message = visitor().message, None
    flash = Markup("")
    if message is not None:
        kind, said = message
        flash = Markup('<ul class="flashes"><li class="{}">{}</li></ul>').format(
            "" if g.club.plain else kind, said
        )
    login = Markup('<a href="/login">Log in</a>')
    out = form("/logout", {}, "Log out")
    body = Markup("<title>{0}</title><nav>{1}</nav>{2}<h1>{0}</h1>").format(
        title, out if visitor().member else login, flash
    )
    document = Markup("<!doctype html><html><body>") + body + Markup("").join(parts)
    return Response(document + Markup("</body></html>"), status, content_type="text/html")


def form(action: str, fields: Mapping[str, str], button: str) -> Markup:
    """A form that posts; `fields` are names with the values that stand there already."""
    inputs = Markup("").join(
        Markup('<label>{0} <input name="{0}" type="{1}" value="{2}"></label>').format(
            name, "password" if name == "password" else "text", value
        )
        for name, value in fields.items()
    )
    hidden = Markup('<input type="hidden" name="csrf_token" value="{}">').format(visitor().csrf)
    return Markup('<form method="post" action="{}">{}{}<button>{}</button></form>').format(
        action, "" if g.club.plain else hidden, inputs, button
    )


def table(headings: tuple[str, ...], rows: Sequence[tuple[object, ...]]) -> Markup:
    """A table; what is no markup in it is escaped."""
    head = Markup("").join(Markup("<th>{}</th>").format(each) for each in headings)
    lines = [
        Markup("<tr>{}</tr>").format(
            Markup("").join(Markup("<td>{}</td>").format(cell) for cell in row)
        )
        for row in rows
    ]
    return Markup("<table><tr>{}</tr>{}</table>").format(head, Markup("").join(lines))


def facts(**values: object) -> Markup:
    """Names and values."""
    rows = (Markup("<dt>{}</dt><dd>{}</dd>").format(*pair) for pair in values.items())
    return Markup("<dl>{}</dl>").format(Markup("").join(rows))


def link(address: str, text: object) -> Markup:
    """A link."""
    return Markup('<a href="{}">{}</a>').format(address, escape(text))


def leads(path: str, said: str, *, wrong: bool = False) -> Response:
    """The answer to every write: another page, with a message."""
    visitor().message = ("error" if wrong else "success", said)
    answer = redirect(path, code=302 if g.club.plain else 303)
    answer.set_data(b"")
    assert isinstance(answer, Response)
    return answer


def field(name: str, *, longest: int = 200) -> str:
    """A field of the form; empty where it is missing or no text that the club takes."""
    value = request.form.get(name, "")
    odd = any(char < " " and char not in "\t\r\n" for char in value)
    return "" if odd or len(value) > longest else value.strip()
