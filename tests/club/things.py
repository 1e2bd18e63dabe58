"""Notes and bookings: each is its owner's alone."""

import sqlite3
from typing import Any

from flask import Blueprint, Response, g, request
from markupsafe import Markup

from tests.club.app import Club, member, only
from tests.club.pages import facts, field, form, leads, link, page, table

things = Blueprint("things", __name__)


def _club() -> Club:
    found: Club = g.club
    return found


def _planted(name: str) -> bool:
    return name in _club().flaws


def _own(kind: str, number: int, *, unless: str) -> Any:
    """A thing of the member who asks; None where it is another's, or is not there."""
    if number >= 2**63:
        return None
    found = _club().row(f"select * from {kind} where id = ?", number)
    if found is None or (found["owner"] != member()["id"] and not _planted(unless)):
        return None
    return found


@things.get("/notes")
@only()
def notes() -> Response:
    wanted = request.args.get("q", "")[:100]
    query, like = "owner = ? and title like ?", [f"%{wanted}%"]
    if _planted("search-pasted-into-sql"):
        query, like = f"owner = ? and title like '%{wanted}%'", []
    try:
        found = _club().rows(
            f"select * from notes where {query} order by n desc limit 20", member()["id"], *like
        )
    except sqlite3.Error:
        return page("Something went wrong", status=500)
    rows = [(link(f"/notes/{row['id']}", row["title"]),) for row in found]
    entry = form("/notes", {"title": "", "text": ""}, "Write")
    return page("Notes", table(("Title",), rows), entry)


@things.post("/notes")
@only()
def write() -> Response:
    if not field("title") or not field("text", longest=2000):
        return leads("/notes", "Title and text are required.", wrong=True)
    club, values = _club(), (field("title"), field("text", longest=2000))
    number = club.new_id()
    if _planted("note-pasted-into-sql"):
        try:
            pasted = f"{number}, {member()['id']}, '{values[0]}'"
            club.add(f"insert into notes (id, owner, title, text) values ({pasted}, ?)", values[1])
        except sqlite3.Error:
            return page("Something went wrong", status=500)
    else:
        club.add(
            "insert into notes (id, owner, title, text) values (?, ?, ?, ?)",
            number,
            member()["id"],
            *values,
        )
    return leads(f"/notes/{number}", "The note is written.")


@things.get("/notes/<int:number>")
@only()
def note(number: int) -> Response:
    found = _own("notes", number, unless="note-readable-by-others")
    if found is None:
        return page("Not found", status=404)
    text = Markup(found["text"]) if _planted("note-shown-as-markup") else found["text"]
    edit = form(f"/notes/{number}", {"title": found["title"], "text": found["text"]}, "Save")
    gone = form(f"/notes/{number}/delete", {}, "Delete")
    return page(found["title"], Markup("<p>{}</p>").format(text), edit, gone)


@things.post("/notes/<int:number>")
@only()
def rewrite(number: int) -> Response:
    if _own("notes", number, unless="note-changeable-by-others") is None:
        return leads("/notes", "There is no such note.", wrong=True)
    if not field("title") or not field("text", longest=2000):
        return leads(f"/notes/{number}", "Title and text are required.", wrong=True)
    values = field("title"), field("text", longest=2000), number
    _club().add("update notes set title = ?, text = ? where id = ?", *values)
    return leads(f"/notes/{number}", "Saved.")


@things.post("/notes/<int:number>/delete")
@only()
def delete(number: int) -> Response:
    if _own("notes", number, unless="note-deletable-by-others") is None:
        return leads("/notes", "There is no such note.", wrong=True)
    _club().add("delete from notes where id = ?", number)
    return leads("/notes", "The note is gone.")


@things.get("/bookings")
@only()
def bookings() -> Response:
    found = _club().rows(
        "select * from bookings where owner = ? order by n desc limit 20", member()["id"]
    )
    rows = [
        (row["place"], row["remark"], row["status"], link(f"/bookings/{row['id']}", "Open"))
        for row in found
    ]
    entry = form("/bookings", {"place": "", "remark": ""}, "Book")
    return page("Bookings", table(("Place", "Remark", "Status", ""), rows), entry)


@things.post("/bookings")
@only()
def book() -> Response:
    if not field("place") or not field("remark"):
        return leads("/bookings", "Place and remark are required.", wrong=True)
    status = "open"
    if _planted("booking-approves-itself"):
        status = request.form.get("status", status)
    values = (_club().new_id(), member()["id"], field("place"), field("remark"), status)
    _club().add(
        "insert into bookings (id, owner, place, remark, status) values (?, ?, ?, ?, ?)", *values
    )
    return leads("/bookings", "Booked.")


@things.get("/bookings/<int:number>")
@only()
def booking(number: int) -> Response:
    found = _own("bookings", number, unless="")
    if found is None:
        return leads("/bookings", "There is no such booking.", wrong=True)
    shown = facts(place=found["place"], remark=found["remark"], status=found["status"])
    return page("Booking", shown, form(f"/bookings/{number}/delete", {}, "Cancel"))


@things.post("/bookings/<int:number>/delete")
@only()
def cancel(number: int) -> Response:
    if _own("bookings", number, unless="") is None:
        return leads("/bookings", "There is no such booking.", wrong=True)
    _club().add("delete from bookings where id = ?", number)
    return leads("/bookings", "Cancelled.")
