"""Small APIs in which people see things of one another, and all of it on purpose.

Each is a server, to be served over a socket, and the paths of its document. Whoever may not do a
thing is refused it; what the others see of it is what such an API is for.
"""

import itertools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from withstand.client.exchange import Request, Response
from withstand.scan.check import Server
from withstand.scan.examples import (
    FORBIDDEN,
    UNAUTHENTICATED,
    answer,
    body,
    caller,
    not_found,
    operation,
    query,
    sent,
)

TEXT: Final = {"type": "string", "minLength": 1}
NUMBER: Final = {"type": "integer"}
IDS: Final = {"alice": 11, "bob": 12, "root": 1}
_ME: Final[dict[str, Any]] = {"/me": {"get": operation()}}
_ITEM: Final = (("path", "id"),)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pattern:
    """A kind of sharing: its document and a server that is new for each scan."""

    paths: dict[str, Any]
    server: Callable[[], Server]


@dataclass(slots=True, kw_only=True)
class Things:
    """Things of one kind that belong to people, and who sees and changes them.

    `sees` and `changes` are asked with a name and a thing, `lists` too: by default what one sees.
    `first` is how many a list shows, the oldest first.
    """

    name: str
    sees: Callable[[str, Mapping[str, Any]], bool]
    changes: Callable[[str, Mapping[str, Any]], bool]
    lists: Callable[[str, Mapping[str, Any]], bool] | None = None
    seeded: int = 0
    first: int = 100
    more: Callable[["Things", Request, str, list[str]], Response | None] = lambda *_: None
    kept: dict[str, dict[str, Any]] = field(default_factory=dict)
    numbers: Any = field(default_factory=lambda: itertools.count(101))

    def __post_init__(self) -> None:
        for at in range(self.seeded):
            self.add(("alice", "bob")[at % 2], f"made before {at}")

    def add(self, owner: str, text: str, **more: Any) -> dict[str, Any]:
        number = next(self.numbers)
        thing = {"id": number, "text": text, "author_id": IDS[owner], **more}
        self.kept[str(number)] = thing
        return thing

    def shown(self, name: str, author: str = "") -> list[dict[str, Any]]:
        lists = self.lists or self.sees
        found = [t for t in self.kept.values() if lists(name, t)]
        return [t for t in found if author in ("", str(t["author_id"]))][: self.first]

    def __call__(self, request: Request) -> Response:
        name = caller(request)
        parts = request.operation_path.strip("/").split("/")
        if name is None:
            return UNAUTHENTICATED
        if parts == ["me"]:
            return answer(200, {"id": IDS[name], "name": name})
        other = self.more(self, request, name, parts)
        if other is not None:
            return other
        if parts[0] != self.name or len(parts) > 2:
            return not_found()
        if len(parts) == 1:
            if request.method == "GET":
                return answer(200, {"items": self.shown(name, query(request, "author_id"))})
            text = sent(request).get("text")
            if request.method != "POST" or not isinstance(text, str) or not text:
                return answer(422, {"error": "text is missing"})
            return answer(201, self.add(name, text))
        thing = self.kept.get(parts[1])
        if thing is None or not self.sees(name, thing):
            return not_found()
        if request.method == "GET":
            return answer(200, thing)
        if not self.changes(name, thing):
            return FORBIDDEN
        if request.method == "DELETE":
            del self.kept[parts[1]]
            return Response(status=204)
        text = sent(request).get("text")
        if not isinstance(text, str) or not text:
            return answer(422, {"error": "text is missing"})
        thing["text"] = text
        return answer(200, thing)


def own(name: str, thing: Mapping[str, Any]) -> bool:
    """Whether the thing is that person's."""
    return bool(thing["author_id"] == IDS[name])


def everybody(_name: str, _thing: Mapping[str, Any]) -> bool:
    """Whoever is logged in."""
    return True


def own_or_roots(name: str, thing: Mapping[str, Any]) -> bool:
    """Its owner, and an administrator."""
    return name == "root" or own(name, thing)


def paths(name: str, *methods: str, listed: bool = True, **more: Any) -> dict[str, Any]:
    """The document: POST, GET and PUT or DELETE on the item, perhaps a list, and `more` paths."""
    thing = body(text=TEXT)
    found: dict[str, Any] = {
        **_ME,
        f"/{name}": {"post": operation(requestBody=thing)},
        f"/{name}/{{id}}": {"get": operation(parameters=_ITEM)},
    }
    if listed:
        found[f"/{name}"]["get"] = operation(parameters=(("query", "author_id"),))
    for method in methods:
        extra: Any = {"requestBody": thing} if method == "put" else {}
        found[f"/{name}/{{id}}"][method] = operation(parameters=_ITEM, **extra)
    return found | more


def _showing(*where: str) -> Callable[[Things, Request, str, list[str]], Response | None]:
    """Further reads that show what is listed: a feed, a search, what was looked at last."""

    def more(things: Things, request: Request, name: str, parts: list[str]) -> Response | None:
        if "/".join(parts) not in where or request.method != "GET":
            return None
        wanted, author = query(request, "q"), query(request, "author_id")
        found = [t for t in things.shown(name, author) if wanted in t["text"]]
        return answer(200, {"items": found[::-1], "total": len(found)})

    return more


def _feed() -> Server:
    return Things(name="posts", sees=everybody, changes=own, seeded=6, more=_showing("feed"))


def _blog() -> Server:
    return Things(name="articles", sees=everybody, changes=own, lists=own, seeded=4, more=_latest)


def _latest(things: Things, request: Request, _name: str, parts: list[str]) -> Response | None:
    """The newest of everybody."""
    newest = [*things.kept.values()][:-6:-1]
    return answer(200, newest) if parts == ["latest"] and request.method == "GET" else None


def _search() -> Server:
    return Things(name="recipes", sees=everybody, changes=own, seeded=6, more=_showing("search"))


def _team() -> Server:
    return Things(name="tickets", sees=everybody, changes=everybody, seeded=4)


def _long_list() -> Server:
    return Things(name="tasks", sees=everybody, changes=everybody, seeded=40, first=20)


def _marketplace() -> Server:
    def more(things: Things, request: Request, name: str, parts: list[str]) -> Response | None:
        if parts == ["purchases"]:
            number = sent(request).get("listing_id")
            listing = things.kept.get(str(number))
            if listing is None or own(name, listing):
                return answer(422, {"error": "no such listing"})
            listing["sold"] = True
            return answer(201, {"listing_id": number, "state": "reserved"})
        return _showing("recently-viewed")(things, request, name, parts)

    return Things(name="listings", sees=everybody, changes=own_or_roots, more=more, seeded=4)


def _comments() -> Server:
    """Articles with comments by anybody; a comment goes by who wrote it, or the article's owner."""
    comments: dict[str, tuple[str, dict[str, Any]]] = {}
    numbers = itertools.count(501)

    def more(things: Things, request: Request, name: str, parts: list[str]) -> Response | None:
        if len(parts) < 3 or parts[0] != "articles" or parts[2] != "comments":
            return None
        if parts[1] not in things.kept:
            return not_found()
        if len(parts) == 3 and request.method == "GET":
            return answer(200, [c for where, c in comments.values() if where == parts[1]])
        text = sent(request).get("text")
        if request.method in {"POST", "PUT"} and not (isinstance(text, str) and text):
            return answer(422, {"error": "text is missing"})
        if len(parts) == 3:
            comment = {"id": next(numbers), "text": text, "author_id": IDS[name]}
            comments[str(comment["id"])] = (parts[1], comment)
            return answer(201, comment)
        where, comment = comments.get(parts[3], ("", {}))
        if where != parts[1]:
            return not_found()
        if request.method == "GET":
            return answer(200, comment)
        owners = own(name, comment), own(name, things.kept[where])
        if not (owners[0] or (request.method == "DELETE" and owners[1])):
            return FORBIDDEN
        if request.method == "DELETE":
            del comments[parts[3]]
            return Response(status=204)
        comment["text"] = text
        return answer(200, comment)

    return Things(name="articles", sees=everybody, changes=own, more=more, seeded=2)


def _invited() -> Server:
    """Boards: seen by their owner, and by whom the owner has invited."""

    def member(name: str, thing: Mapping[str, Any]) -> bool:
        return own(name, thing) or IDS[name] in thing.get("members", [])

    def more(things: Things, request: Request, name: str, parts: list[str]) -> Response | None:
        if len(parts) != 3 or parts[2] != "members":
            return None
        board = things.kept.get(parts[1])
        if board is None or not member(name, board):
            return not_found()
        if request.method == "GET":
            return answer(200, {"members": board.get("members", [])})
        if not own(name, board):
            return FORBIDDEN
        invited = sent(request).get("user_id")
        if invited not in IDS.values():
            return answer(422, {"error": "no such user"})
        board.setdefault("members", []).append(invited)
        return answer(201, {"user_id": invited})

    return Things(name="boards", sees=member, changes=member, more=more)


def _likes() -> Server:
    """Photos on a wall, without a list of their own: anybody likes them, the owner changes them."""

    def more(things: Things, request: Request, name: str, parts: list[str]) -> Response | None:
        if len(parts) == 3 and parts[2] == "like" and parts[1] in things.kept:
            photo = things.kept[parts[1]]
            photo["likes"] = photo.get("likes", 0) + 1
            return answer(200, {"likes": photo["likes"]})
        return _showing("wall")(things, request, name, parts)

    return Things(name="photos", sees=everybody, changes=own, more=more, seeded=2)


def _profiles() -> Server:
    """Who somebody is, is for all who are logged in; how to reach them is for themselves."""
    abouts = {name: f"{name} likes tea" for name in IDS}
    by_id = {str(number): name for name, number in IDS.items()}

    def server(request: Request) -> Response:
        name = caller(request)
        parts = request.operation_path.strip("/").split("/")
        if name is None:
            return UNAUTHENTICATED
        if parts == ["me"]:
            phone = f"+49 30 {IDS[name]:05}"
            return answer(200, {"id": IDS[name], "about": abouts[name], "phone": phone})
        if parts == ["people"]:
            wanted = query(request, "user_id")
            found = [_card(abouts, n) for n in IDS if wanted in ("", str(IDS[n]))]
            return answer(200, {"people": found})
        who = by_id.get(parts[1]) if len(parts) == 2 and parts[0] == "people" else None
        if who is None:
            return not_found()
        if request.method == "PUT" and who != name:
            return FORBIDDEN
        if request.method == "PUT":
            abouts[who] = str(sent(request).get("about"))
        return answer(200, _card(abouts, who))

    return server


def _card(abouts: Mapping[str, str], name: str) -> dict[str, Any]:
    return {"id": IDS[name], "name": name, "about": abouts[name]}


_BY_AUTHOR = {"get": operation(parameters=(("query", "author_id"),))}
_COMMENT = (("path", "id"), ("path", "comment_id"))

PATTERNS: Final[dict[str, Pattern]] = {
    "a feed that an author filters": Pattern(
        paths=paths("posts", "put", "delete", listed=False) | {"/feed": _BY_AUTHOR},
        server=_feed,
    ),
    "own articles in a list, and the newest of everybody": Pattern(
        paths=paths("articles", "put", "delete") | {"/latest": {"get": operation()}},
        server=_blog,
    ),
    "a search over what everybody may see": Pattern(
        paths=paths("recipes", "put", "delete", listed=False)
        | {"/search": {"get": operation(parameters=(("query", "q"), ("query", "author_id")))}},
        server=_search,
    ),
    "tickets of a whole team": Pattern(paths=paths("tickets", "put", "delete"), server=_team),
    "a team's list that shows its first page": Pattern(
        paths=paths("tasks", "put", "delete"), server=_long_list
    ),
    "a marketplace": Pattern(
        paths=paths("listings", "put", "delete")
        | {
            "/purchases": {"post": operation(requestBody=body(listing_id=NUMBER))},
            "/recently-viewed": {"get": operation()},
        },
        server=_marketplace,
    ),
    "comments under articles": Pattern(
        paths=paths("articles", "put", "delete")
        | {
            "/articles/{id}/comments": {
                "get": operation(parameters=_ITEM),
                "post": operation(parameters=_ITEM, requestBody=body(text=TEXT)),
            },
            "/articles/{id}/comments/{comment_id}": {
                "get": operation(parameters=_COMMENT),
                "put": operation(parameters=_COMMENT, requestBody=body(text=TEXT)),
                "delete": operation(parameters=_COMMENT),
            },
        },
        server=_comments,
    ),
    "boards shared by invitation": Pattern(
        paths=paths("boards", "put", "delete")
        | {
            "/boards/{id}/members": {
                "get": operation(parameters=_ITEM),
                "post": operation(parameters=_ITEM, requestBody=body(user_id=NUMBER)),
            }
        },
        server=_invited,
    ),
    "photos that anybody likes": Pattern(
        paths=paths("photos", "put", "delete", listed=False)
        | {
            "/photos/{id}/like": {"post": operation(parameters=_ITEM)},
            "/wall": {"get": operation()},
        },
        server=_likes,
    ),
    "profiles for who is logged in": Pattern(
        paths=_ME
        | {
            "/people": {"get": operation(parameters=(("query", "user_id"),))},
            "/people/{id}": {
                "get": operation(parameters=_ITEM),
                "put": operation(parameters=_ITEM, requestBody=body(about=TEXT)),
            },
        },
        server=_profiles,
    ),
}
