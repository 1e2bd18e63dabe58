"""The club put together: who may come in, and the pages about its members."""

import secrets
import sqlite3
import threading
from collections.abc import Callable, Collection
from functools import wraps
from typing import Any

from flask import Flask, Response, g, jsonify, request, session

from tests.club.document import DOCUMENT
from tests.club.flaws import FLAWS
from tests.club.pages import facts, field, form, leads, link, page, table, visitor
from tests.club.visitors import COOKIE, Visitor, Visitors, hashed

MEMBERS = (
    ("alice@club.example", "alice-collects-stamps", "Alice", "member"),
    ("bob@club.example", "bob-builds-birdhouses", "Bob", "member"),
    ("carla@club.example", "carla-chairs-the-club", "Carla", "chair"),
)
_TABLES = """
create table members (id integer primary key, email text unique, hash text, name text, role text);
create table notes (n integer primary key, id int unique, owner int, title text, text text);
create table bookings (
    n integer primary key, id int unique, owner int, place text, remark text, status text
);
create table notices (n integer primary key, text text);
"""
_MOST_FAILURES = 12
View = Callable[..., Response]


class Club:
    """The club's tables, its sessions, and the precautions that it leaves out."""

    def __init__(self, flaws: Collection[str], *, plain: bool) -> None:
        unknown = set(flaws) - {flaw.name for flaw in FLAWS}
        if unknown:
            raise ValueError(f"no such flaw: {', '.join(sorted(unknown))}")
        self.flaws = frozenset(flaws)
        self.plain = plain
        self.visitors = Visitors()
        self.failures: dict[str, int] = {}
        self._lock = threading.RLock()
        self._base = sqlite3.connect(":memory:", check_same_thread=False, isolation_level=None)
        self._base.row_factory = sqlite3.Row
        self._base.executescript(_TABLES)
        for email, password, name, role in MEMBERS:
            self.join(email, password, name, role)

    def rows(self, query: str, *values: object) -> list[Any]:
        """What a query finds."""
        with self._lock:
            return self._base.execute(query, values).fetchall()

    def row(self, query: str, *values: object) -> Any:
        """The first of it; None where there is none."""
        return next(iter(self.rows(query, *values)), None)

    def add(self, query: str, *values: object) -> int:
        """Runs an insertion; returns the id, which nobody would guess."""
        with self._lock:
            return int(self._base.execute(query, values).lastrowid or 0)

    def new_id(self) -> int:
        """An id that says nothing of others."""
        return secrets.randbelow(2**40) + 2**20

    def join(self, email: str, password: str, name: str, role: str) -> None:
        """A new member. Raises sqlite3.IntegrityError where the address is taken."""
        dear = "login-hashes-for-members-only" in self.flaws
        kept = hashed(password, dear=dear)
        self.add(
            "insert into members values (?, ?, ?, ?, ?)", self.new_id(), email, kept, name, role
        )


def member() -> Any:
    """Who is logged in."""
    return g.member


def only(*roles: str) -> Callable[[View], View]:
    """Lets members of these roles in (without roles: all); others are led elsewhere."""

    def guarded(view: View) -> View:
        @wraps(view)
        def entered(*args: Any, **kwargs: Any) -> Response:
            if g.member is None:
                return leads(f"/login?next={request.path}", "Please log in first.", wrong=True)
            open_to_all = not roles or "chair-pages-open-to-members" in g.club.flaws
            if not open_to_all and g.member["role"] not in roles:
                return leads("/", "That page is for the chair.", wrong=True)
            return view(*args, **kwargs)

        return entered

    return guarded


def create_app(flaws: Collection[str] = (), *, plain: bool = False) -> Flask:
    """A new club with its own tables. Raises ValueError for an unknown flaw.

    A plain one answers with 302, keeps its sessions in signed cookies, knows no tokens against
    forged requests, and its messages have no class that says whether they are good ones.
    """
    from tests.club.things import things

    app = Flask("club", static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = 256 * 1024
    app.secret_key = secrets.token_bytes(32)
    club = Club(flaws, plain=plain)
    app.extensions["club"] = club
    app.register_blueprint(things)

    @app.before_request
    def entering() -> Response | None:
        g.club = club
        g.visitor = club.visitors.known(request.cookies.get(COOKIE, "")) or Visitor()
        if plain:
            g.visitor = Visitor(**session)
        g.member = None
        if g.visitor.member is not None:
            g.member = club.row("select * from members where id = ?", g.visitor.member)
        if request.method != "POST" or plain:
            return None
        given = request.form.get("csrf_token", "")
        if secrets.compare_digest(given.encode(), g.visitor.csrf.encode()):
            return None
        return page("Bad request: the CSRF token is missing or wrong", status=400)

    @app.after_request
    def leaving(response: Response) -> Response:
        if plain:
            session.update(member=visitor().member, message=visitor().message)
        else:
            club.visitors.keep(visitor())
        if (
            not plain
            and request.cookies.get(COOKIE) != visitor().key
            and "html" in response.content_type
        ):
            response.set_cookie(COOKIE, visitor().key, httponly=True, samesite="Lax")
        response.headers["X-Content-Type-Options"] = "nosniff"
        response.headers["X-Frame-Options"] = "DENY"
        response.headers["Cache-Control"] = "no-store"
        response.headers["Content-Security-Policy"] = "default-src 'none'; form-action 'self'"
        return response

    @app.get("/openapi.json")
    def openapi() -> Response:
        return jsonify(DOCUMENT)

    @app.get("/")
    def home() -> Response:
        return page("The club", link("/notes", "Notes"), link("/bookings", "Bookings"))

    @app.get("/login")
    def login_page() -> Response:
        return page("Log in", form("/login", {"email": "", "password": ""}, "Log in"))

    @app.get("/register")
    def register_page() -> Response:
        fields = {"email": "", "name": "", "password": ""}
        return page("Join the club", form("/register", fields, "Join"))

    @app.post("/register")
    def register() -> Response:
        email, name = field("email").lower(), field("name")
        password = field("password")
        if "@" not in email or not name or len(password) < 10:
            return leads("/register", "That is not enough to join.", wrong=True)
        role = "member"
        if "anybody-joins-as-chair" in club.flaws:
            role = request.form.get("role", "member").replace("admin", "chair")
        try:
            club.join(email, password, name, role)
        except sqlite3.IntegrityError:
            return leads("/register", "That did not work out.", wrong=True)
        return leads("/login", "Welcome! Now log in.")

    @app.post("/login")
    def login() -> Response:
        email, password = field("email").lower(), field("password")
        if club.failures.get(email, 0) >= _MOST_FAILURES:
            return leads("/login", "Too many attempts: try again later.", wrong=True)
        known = club.row("select * from members where email = ?", email)
        by_time = "login-hashes-for-members-only" in club.flaws
        fits = False
        if known is not None or not by_time:
            fits = hashed(password, dear=by_time) == (known["hash"] if known is not None else "")
        if not fits:
            club.failures[email] = club.failures.get(email, 0) + 1
            said = "E-mail address and password do not fit."
            if known is None and "login-knows-no-such-member" in club.flaws:
                said = "Nobody has joined with this address."
            return leads("/login", said, wrong=True)
        club.failures.pop(email, None)
        g.visitor = Visitor(member=known["id"])
        return leads("/notes", f"Hello {known['name']}!")

    @app.post("/logout")
    @only()
    def logout() -> Response:
        club.visitors.end(visitor())
        g.visitor = Visitor()
        return leads("/login", "Good-bye.")

    @app.get("/me")
    @only()
    def me() -> Response:
        own = {"email": member()["email"], "name": member()["name"], "role": member()["role"]}
        return page("Your account", facts(**own), form("/me", {"name": own["name"]}, "Save"))

    @app.post("/me")
    @only()
    def rename() -> Response:
        if not field("name"):
            return leads("/me", "A name is required.", wrong=True)
        club.add("update members set name = ? where id = ?", field("name"), member()["id"])
        return leads("/me", "Saved.")

    @app.get("/chair/members")
    @only("chair")
    def members() -> Response:
        found = club.rows("select email, name, role from members")
        return page("Members", table(("Email", "Name", "Role"), [tuple(row) for row in found]))

    @app.get("/chair/notices")
    @only("chair")
    def notices() -> Response:
        found = club.rows("select text from notices order by n desc limit 20")
        entry = form("/chair/notices", {"text": ""}, "Post")
        return page("Notices", table(("Text",), [tuple(row) for row in found]), entry)

    @app.post("/chair/notices")
    @only("chair")
    def post_notice() -> Response:
        if not field("text"):
            return leads("/chair/notices", "A text is required.", wrong=True)
        club.add("insert into notices (text) values (?)", field("text"))
        return leads("/chair/notices", "Posted.")

    return app
