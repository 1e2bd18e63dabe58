"""Ways round the front door: other spellings, old versions, pages that no document names."""

from typing import Any
from urllib.parse import unquote

import pytest

from withstand.client.exchange import Request, Response
from withstand.client.identity import LoginRecipe
from withstand.scan.check import Server
from withstand.scan.examples import (
    UNAUTHENTICATED,
    answer,
    body,
    caller,
    not_found,
    operation,
    page,
    sent,
)
from withstand.scan.probes.inner_pages import PATHS, signature

from .tiny_api import findings

VARIANT = "path-variant-bypasses-access"
OLD = "old-version-less-guarded"
INNER = "undocumented-operation"
FORBIDDEN = answer(403, {"error": "for administrators"})
ADMIN: dict[str, Any] = {
    "/health": {"get": operation(secured=False)},
    "/me": {"get": operation()},
    "/admin/figures": {"get": operation()},
}


def routed(path: str, how: str) -> str:
    """How a careless router reads a path."""
    match how:
        case "decodes":
            return unquote(path)
        case "ignores capitals":
            return path.lower()
        case "ignores a slash":
            return path.rstrip("/")
        case "merges slashes":
            return "/" + "/".join(part for part in path.split("/") if part)
        case "drops parameters":
            return path.partition(";")[0]
        case "drops extensions":
            return path.removesuffix(".json")
        case "resolves dots":
            parts: list[str] = []
            for part in path.split("/")[1:]:
                if part == "..":
                    parts.pop()
                elif part != ".":
                    parts.append(part)
            return "/" + "/".join(parts)
    return path


def guarded_by_text(how: str, *, prefix: bool = False) -> Server:
    def server(request: Request) -> Response:
        name, path = caller(request), request.operation_path
        if path.startswith("/health/") and how == "resolves dots":
            name = name or "somebody"
        elif path != "/health" and name is None:
            return UNAUTHENTICATED
        guarded = path.startswith("/admin") if prefix else path == "/admin/figures"
        if guarded and name != "root":
            return FORBIDDEN
        match routed(path, how):
            case "/health":
                return answer(200, {"status": "fine"})
            case "/me":
                return answer(200, {"name": name})
            case "/admin/figures":
                return answer(200, {"income": 271828})
        return not_found()

    return server


@pytest.mark.parametrize(
    "how",
    [
        "decodes",
        "ignores capitals",
        "ignores a slash",
        "merges slashes",
        "drops parameters",
        "drops extensions",
        "resolves dots",
    ],
)
def test_each_generous_router_behind_a_guard_of_text_is_found(how: str) -> None:
    (finding,) = findings(VARIANT, guarded_by_text(how), ADMIN)
    assert finding.operations == ("GET /admin/figures",)


@pytest.mark.parametrize("how", ["decodes", "ignores capitals", "merges slashes"])
def test_a_guard_of_a_prefix_is_got_past_as_well(how: str) -> None:
    assert len(findings(VARIANT, guarded_by_text(how, prefix=True), ADMIN)) == 1


def test_routers_as_generous_as_their_guard_and_pages_for_anybody_pass() -> None:
    assert findings(VARIANT, guarded_by_text("reads it as it is"), ADMIN) == ()

    def shell(request: Request) -> Response:
        if request.operation_path == "/admin/figures":
            figures = answer(200, {"income": 271828})
            return figures if caller(request) == "root" else FORBIDDEN
        if request.operation_path == "/me":
            return answer(200, {"name": caller(request)}) if caller(request) else UNAUTHENTICATED
        return page(200, "<html>the app</html>")

    assert findings(VARIANT, shell, ADMIN) == ()


# --- old versions ------------------------------------------------------------------------------

BILLS: dict[str, Any] = {
    "/v3/bills": {"get": operation()},
    "/v3/me": {"get": operation()},
}


def versions(open_ones: set[str], shape: object = None) -> Server:
    def server(request: Request) -> Response:
        _, version, rest = (
            request.operation_path.split("/", 2)
            if request.operation_path.count("/") > 1
            else ("", "", "")
        )
        if rest not in {"bills", "me"} or version not in {"v3", *open_ones}:
            return not_found()
        if version == "v3" and caller(request) is None:
            return UNAUTHENTICATED
        if version != "v3" and shape is not None:
            return answer(200, shape)
        return answer(200, {"bills": [{"no": "B-2025-00017", "cents": 100}]})

    return server


def test_an_older_version_that_serves_anybody_is_found_however_far_back_and_in_another_shape() -> (
    None
):
    assert len(findings(OLD, versions({"v1"}), BILLS)) == 1
    assert len(findings(OLD, versions({"v2"}, [{"number": "B-2025-00017"}]), BILLS)) == 1
    (finding,) = findings(OLD, versions({"v2"}), {"/bills": {"get": operation()}, "/me": {
        "get": operation()}}, base_url="http://127.0.0.1:9/v3")  # fmt: skip
    assert "/v2/" in finding.detail


def test_an_older_version_that_says_that_it_has_gone_passes() -> None:
    assert findings(OLD, versions(set()), BILLS) == ()
    gone = versions({"v1", "v2"}, {"message": "this version has been retired"})
    assert findings(OLD, gone, BILLS) == ()


def test_an_older_login_that_believes_any_password_is_found() -> None:
    secure = body(email={"type": "string"}, password={"type": "string"})
    people: dict[str, str] = {}
    tokens: set[str] = set()

    def server_for(*, careless: bool) -> Server:
        def server(request: Request) -> Response:
            fields = sent(request)
            match request.operation_path:
                case "/v2/register":
                    people[fields["email"]] = fields["password"]
                    return answer(201, {"email": fields["email"]})
                case "/v2/login" | "/v1/login":
                    right = people.get(fields.get("email", "")) == fields.get("password")
                    if not right and not (careless and "/v1/" in request.path):
                        return answer(401, {"error": "no"})
                    tokens.add(f"Bearer t-{fields['email']}")
                    return answer(200, {"token": f"t-{fields['email']}"})
                case "/v2/me":
                    known = request.header("authorization") in tokens or caller(request)
                    return answer(200, {"a": 1}) if known else UNAUTHENTICATED
            return not_found()

        return server

    recipe = LoginRecipe(
        method="POST",
        path="/v2/login",
        payload={"email": "{email}", "password": "{password}"},
        token_path="$.token",
    )
    document: dict[str, Any] = {
        "/v2/register": {"post": operation(secured=False, requestBody=secure)},
        "/v2/login": {"post": operation(secured=False, requestBody=secure)},
        "/v2/me": {"get": operation()},
    }
    (finding,) = findings(OLD, server_for(careless=True), document, login=recipe)
    assert "wrong password" in finding.detail
    assert findings(OLD, server_for(careless=False), document, login=recipe) == ()


# --- pages that no document names ----------------------------------------------------------------

HELLO: dict[str, Any] = {"/hello": {"get": operation(secured=False)}}


def pages(found: dict[str, Response], usual: Response | None = None) -> Server:
    def server(request: Request) -> Response:
        if request.path == "/hello":
            return answer(200, {"hello": "world"})
        return found.get(request.path, usual or not_found())

    return server


def plain(text: str) -> Response:
    return page(200, text, "text/plain")


@pytest.mark.parametrize(
    ("path", "response"),
    [
        ("/.env", plain("APP_ENV=prod\nSECRET_KEY=8f3a9c1d7e\n")),
        ("/.git/HEAD", plain("ref: refs/heads/main\n")),
        ("/actuator/env", answer(200, {"activeProfiles": [], "propertySources": [{"name": "a"}]})),
        ("/admin/users", answer(200, [{"name": "Ada", "password_hash": "$2b$12$abcdefghijk"}])),
        ("/debug/vars", answer(200, {"cmdline": ["/app"], "memstats": {"Alloc": 1}})),
        ("/console", page(200, "<script>var EVALEX = true;</script>")),
        ("/backup.sql", plain("-- dump\nCREATE TABLE `users` (id int);\n")),
        ("/internal/users", answer(200, {"users": [{"email": "bob@example.com"}]})),
    ],
)
def test_each_page_that_gives_away_what_is_inside_is_found(path: str, response: Response) -> None:
    (finding,) = findings(INNER, pages({path: response}), HELLO)
    assert path in finding.detail
    assert finding.operations == (f"GET {path}",)


@pytest.mark.parametrize(
    "usual",
    [
        page(200, "<html><title>Shop</title></html>"),
        answer(200, {"success": False, "error": "no such page"}),
        plain("SECRET_KEY=not-found-here\nA=b1\n"),
    ],
)
def test_servers_that_answer_everything_are_no_finding(usual: Response) -> None:
    assert findings(INNER, pages({}, usual), HELLO) == ()


def test_pages_that_anybody_may_see_are_no_finding() -> None:
    ordinary = {
        "/status": answer(200, {"status": "up", "uptime_s": 12}),
        "/metrics": plain("# HELP http_requests_total All.\n# TYPE http_requests_total counter\n"),
        "/config.json": answer(200, {"api_key": "AIzaSyD-public-maps-key", "theme": "dark"}),
        "/admin": page(200, "<form><input name=password type=password></form>"),
        "/settings": answer(200, {"password": "********", "database_url": None}),
        "/info": answer(200, {"jwt_algorithm": "HS256", "version": "1.2"}),
        "/graphql": answer(200, {"data": None}),
    }
    assert findings(INNER, pages(ordinary), HELLO) == ()


def test_the_callers_own_settings_are_not_everybodys() -> None:
    def server(request: Request) -> Response:
        name = caller(request)
        if request.path == "/settings" and name:
            return answer(200, {"name": name, "secret": f"{name}-0a1b2c3d4e"})
        return answer(200, {"hello": "world"}) if request.path == "/hello" else not_found()

    assert findings(INNER, server, HELLO) == ()


def test_what_the_document_names_is_not_asked_for() -> None:
    document = {**HELLO, "/internal/config": {"get": operation(secured=False)}}
    settings = answer(200, {"secret_key": "8f3a9c1d7e", "mode": "a"})
    assert findings(INNER, pages({"/internal/config": settings}), document) == ()


def test_the_paths_are_about_sixty_and_a_masked_secret_is_none() -> None:
    assert 55 <= len(PATHS) <= 70
    assert len(set(PATHS)) == len(PATHS)
    assert signature(answer(200, {"a": "b", "secret_key": "[REDACTED]"})) is None


def test_below_the_prefix_of_the_documents_paths_the_same_pages_are_asked_for() -> None:
    served = {"/api/v2/debug/env": answer(200, {"jwt_secret": "8f3a9c1d7e", "mode": "a"})}
    document = {"/api/v2/hello": {"get": operation(secured=False)}}
    (finding,) = findings(INNER, pages({**served, "/api/v2/hello": answer(200, {})}), document)
    assert finding.operations == ("GET /api/v2/debug/env",)


def test_paths_are_asked_for_in_the_style_of_the_document() -> None:
    served = {
        "/hello/": answer(200, {"hello": "world"}),
        "/debug/": answer(200, {"secret_key": "8f3a9c1d7e", "mode": "a"}),
        "/internal": answer(200, {"secret_key": "8f3a9c1d7e", "mode": "b"}),
        "/.env": plain("SECRET_KEY=8f3a9c1d7e\nMODE=a\n"),
    }
    document = {"/hello/": {"get": operation(secured=False)}}
    (finding,) = findings(INNER, pages(served), document)
    assert {"GET /debug/", "GET /internal", "GET /.env"} <= {*finding.operations}
