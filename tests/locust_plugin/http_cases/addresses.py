"""Methods and addresses."""

from typing import Final

from .case import TIMEOUT_S, Bench, case, shown

for _method in ("get", "post", "put", "patch", "delete", "options", "head"):
    shown(f"method-{_method}", lambda client, name=_method: getattr(client, name)("/hello"))  # type: ignore[misc]
    shown(
        f"method-{_method}-with-body",
        lambda client, name=_method: getattr(client, name)("/hello", data="a=b"),  # type: ignore[misc]
    )
for _method in ("GET", "get", "Post", "PURGE", "x-odd", "TRACE", "G T", "GÉT", "", b"GET"):  # type: ignore[assignment]
    shown(f"request-{_method!r}", lambda client, name=_method: client.request(name, "/hello"))  # type: ignore[misc]
shown("request-by-keywords", lambda client: client.request(method="GET", url="/hello", name="n"))
shown("request-of-none", lambda client: client.request(None, "/hello"))
shown("request-with-positions", lambda client: client.request("GET", "/hello", "n", False, {}))
shown("unknown-keyword", lambda client: client.get("/hello", unheard="of"))
shown("unknown-keyword-of-none", lambda client: client.get("/hello", unheard=None))


_PATHS: Final = {
    "empty": "",
    "root": "/",
    "query-only": "?a=b",
    "empty-query": "/hello?",
    "query": "/hello?a=b&c=d",
    "question-in-query": "/hello?a=b?c",
    "slash-in-query": "/hello?a=/b/../c",
    "dots-in-query": "/hello?a=./b",
    "fragment": "/hello#part",
    "query-and-fragment": "/hello?a=b#part",
    "space": "/hello world",
    "unicode": "/café",
    "unicode-query": "/hello?a=é",
    "percent": "/hello%20world",
    "percent-in-lower-case": "/a%2fb%c3%a9",
    "percent-unreserved": "/%41%7E",
    "percent-alone": "/100%",
    "percent-bad": "/a%zzb",
    "dot-segments": "/a/../b/./c",
    "dot-at-end": "/a/.",
    "dot-file": "/.well-known/x",
    "dots-in-name": "/a..b/c.json",
    "double-slash": "//hello",
    "double-slash-inside": "/a//b",
    "no-slash": "hello",
    "semicolon": "/a;b=c?d;e",
    "brackets": "/a[1]?b[]=c",
    "braces": "/a{1}?b={c}",
    "quotes": "/a'b\"c",
    "pipe": "/a|b^c`d",
    "backslash": "/a\\b",
    "plus": "/a+b?c+d",
    "at": "/@me:x",
    "tab": "/a\tb",
    "newline": "/a\nb",
    "trailing-space": "/a ",
    "leading-space": " /a",
    "del": "/a\x7fb",
    "tilde": "/~a_-.!$&'()*,=",
    "long-query": "/hello?" + "a" * 20_000,
    "long-path": "/" + "a" * 5_000,
    "two-questions": "/a??b",
    "starts-with-http": "httpish/a",
}
for _name, _path in _PATHS.items():
    shown(f"path-{_name}", *[lambda client, path=_path: client.get(path)] * 2)
shown("path-of-bytes", lambda client: client.get(b"/hello"))
shown("path-of-none", lambda client: client.get(None))
shown("path-of-number", lambda client: client.get(7))

_HOSTS: Final = {
    "with-path": "http://127.0.0.1:{main}/base",
    "with-slash": "http://127.0.0.1:{main}/",
    "with-credentials": "http://ann:pa%40ss@127.0.0.1:{main}",
    "with-user-only": "http://ann@127.0.0.1:{main}",
    "with-empty-password": "http://ann:@127.0.0.1:{main}",
    "with-query": "http://127.0.0.1:{main}/base?x=",
    "with-fragment": "http://127.0.0.1:{main}/base#x",
    "in-capitals": "HTTP://LOCALHOST:{main}",
    "name": "http://localhost:{main}",
    "name-with-dot": "http://localhost.:{main}",
    "six": "http://[::1]:{six}",
    "six-in-full": "http://[0:0:0:0:0:0:0:1]:{six}",
    "six-refused": "http://[::1]:{dead}",
    "refused": "http://127.0.0.1:{dead}",
    "refused-by-name": "http://localhost:{dead}",
    "unresolvable": "http://nowhere.invalid",
    "unresolvable-over-tls": "https://nowhere.invalid",
    "without-scheme": "127.0.0.1:{main}",
    "of-ftp": "ftp://127.0.0.1:{main}",
    "with-odd-name": "http://a..b:{main}",
    "with-long-name": "http://" + "a" * 70 + ".invalid:{main}",
    "with-underscore": "http://a_b.invalid",
    "with-dash-first": "http://-a.invalid",
    "with-star": "http://*.invalid",
    "with-port-0": "http://127.0.0.1:0",
    "with-port-too-large": "http://127.0.0.1:70000",
    "with-port-of-zeros": "http://127.0.0.1:0{main}",
    "with-port-empty": "http://127.0.0.1:",
    "with-short-address": "http://127.1:{main}",
    "with-scope": "http://[::1%25lo]:{six}",
    "empty": "",
    "without-host": "http://",
    "tls-unverified": "https://127.0.0.1:{tls}",
    "tls-to-plain": "https://127.0.0.1:{main}",
    "plain-to-tls": "http://127.0.0.1:{tls}",
    "tls-refused": "https://127.0.0.1:{dead}",
}
for _name, _host in _HOSTS.items():
    shown(
        f"host-{_name}",
        # The name servers of a machine without network may take their time to say no.
        *[
            lambda client, path=path, name=name, timeout=TIMEOUT_S if "to" in _name else 5: (
                client.get(path, name=name, timeout=timeout)
            )
            for path, name in (("/hello", None), ("/hello?a=b", "n"))
        ],
        host=_host,
    )


@case("absolute-addresses")
def _absolute(bench: Bench) -> None:
    for address in (
        bench.url("/hello"),
        bench.url("/hello", port="other"),
        bench.url("", port="other"),
        bench.url("?a=b", port="other"),
        bench.url("/a b", port="other"),
        bench.url("/hello", port="other").replace("http", "HTTP"),
        bench.url("/hello", port="dead"),
        bench.url("/hello", port="other").replace("//", "//ann:secret@"),
        bench.url("/hello", port="other").replace("//", "///"),
        bench.url("/hello", port="other").replace("//", "/"),
        "http://",
        "http:///hello",
        "https",
    ):
        bench.show(lambda address=address: bench.client.get(address))  # type: ignore[misc]


@case("base-url-changed")
def _base_url(bench: Bench) -> None:
    bench.show(lambda: bench.client.get("/hello"))
    bench.client.base_url = bench.url("/else", port="other")
    bench.show(lambda: bench.client.get("/hello"))


@case("cookies-of-two-ports")
def _two_ports(bench: Bench) -> None:
    bench.show(lambda: bench.client.get("/b/cookie"))
    bench.show(lambda: bench.client.get(bench.url("/b/count", port="other")))


@case("methods-in-other-letters")
def _letters(bench: Bench) -> None:
    for method in ("head", "Head", "HEAD", "get", "Post"):
        bench.show(lambda method=method: bench.client.request(method, "/hello"))  # type: ignore[misc]


@case("address-in-other-letters")
def _upper(bench: Bench) -> None:
    url = bench.url("/hello", port="other").replace("http", "HTTP")
    bench.show(lambda: bench.client.get(url))
    bench.show(lambda: bench.client.get("httpx"))
