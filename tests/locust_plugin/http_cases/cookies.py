"""Cookies of a session."""

from requests.cookies import create_cookie

from .case import Bench, case, changed

changed("session-cookies-set", lambda client: client.cookies.set("a", "1"))
changed("session-cookies-set-path", lambda client: client.cookies.set("a", "1", path="/b"))
changed(
    "session-cookies-set-domain", lambda client: client.cookies.set("a", "1", domain="127.0.0.1")
)
changed("session-cookies-item", lambda client: client.cookies.__setitem__("a", "1"))
changed("session-cookies-update", lambda client: client.cookies.update({"a": "1", "b": "2"}))
changed("session-cookies-assign", lambda client: setattr(client, "cookies", {"a": "1"}))
changed("session-cookies-quoted", lambda client: client.cookies.set("a", '"x y"'))
changed("session-cookies-unicode", lambda client: client.cookies.set("a", "☕"))
changed("session-cookies-latin-1", lambda client: client.cookies.set("a", "é"))
changed(
    "session-cookies-set-cookie",
    lambda client: client.cookies.set_cookie(create_cookie("a", "1", expires=1)),
)


@case("session-cookies-changes")
def _cookies_changed(bench: Bench) -> None:
    jar = bench.client.cookies
    for change in (
        lambda: jar.set("a", "1"),
        lambda: jar.set("a", "2"),
        lambda: jar.set("b", "3", path="/hello"),
        lambda: jar.set("c", "4", domain="example.com"),
        lambda: jar.set("a", None),
        lambda: jar.__delitem__("b"),
        lambda: jar.pop("c"),
        lambda: bench.client.get("/b/two-cookies"),
        lambda: jar.clear("127.0.0.1", "/b"),
        lambda: jar.copy().set("z", "9"),
        lambda: jar.clear_session_cookies(),
        lambda: jar.update({"d": "5"}),
        lambda: jar.clear(),
        lambda: bench.client.get("/b/cookie-with-max-age"),
        lambda: bench.client.get("/b/cookie-with-max-age-0"),
    ):
        bench.show(change)
        bench.show(lambda: bench.client.get("/hello"))
        bench.show(lambda: bench.client.get("/b/plain"))


@case("session-cookies-cleared-between")
def _cookies_cleared(bench: Bench) -> None:
    for _ in range(3):
        bench.show(lambda: bench.client.get("/b/cookie"))
        bench.show(lambda: bench.client.get("/b/plain"))
        bench.client.cookies.clear()
        bench.show(lambda: bench.client.get("/b/plain"))


@case("session-jars-exchanged")
def _jars(bench: Bench) -> None:
    """Users that take the sessions of others, as from a pool of those who have signed in."""
    import pickle

    from requests.cookies import RequestsCookieJar

    client, jars = bench.client, []
    for name in ("ann", "bob"):
        client.cookies = RequestsCookieJar()
        client.cookies.set("sid", name)
        jars.append(client.cookies)
    client.cookies = type(client.cookies)()
    bench.show(lambda: client.get("/b/cookie"))
    jars.append(pickle.loads(pickle.dumps(client.cookies)))
    for jar in jars * 2:
        client.cookies = jar
        bench.show(lambda: client.get("/hello"))
        bench.show(lambda: client.post("/hello", json=[]))


@case("session-cookies-changed-in-place")
def _in_place(bench: Bench) -> None:
    bench.show(lambda: bench.client.get("/b/two-cookies"))
    bench.show(lambda: bench.client.get("/hello"))
    for name, value in (("value", "new"), ("secure", True), ("secure", False), ("expires", 1)):
        for cookie in bench.client.cookies:
            setattr(cookie, name, value)
            bench.note(repr(cookie))
        bench.show(lambda: bench.client.get("/hello"))


@case("session-cookies-with-a-policy")
def _policy(bench: Bench) -> None:
    from http.cookiejar import DefaultCookiePolicy

    bench.client.cookies.set("a", "1")
    for policy in (DefaultCookiePolicy(allowed_domains=[]), DefaultCookiePolicy()):
        bench.client.cookies.set_policy(policy)
        bench.show(lambda: bench.client.get("/b/cookie"))
        bench.show(lambda: bench.client.get("/hello"))
