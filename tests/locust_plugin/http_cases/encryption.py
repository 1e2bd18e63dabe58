"""TLS."""

from typing import Final

from .case import TIMEOUT_S, Bench, case, shown

_TLS: Final = "https://127.0.0.1:{tls}"


@case("tls-verify", host=_TLS)
def _tls_verify(bench: Bench) -> None:
    for verify in (True, bench.authority, False, "/nowhere", None, bench.authority, "", True):
        bench.show(lambda verify=verify: bench.client.get("/hello", verify=verify))  # type: ignore[misc]


@case("tls-session-verify", host=_TLS)
def _tls_session_verify(bench: Bench) -> None:
    for verify in (True, bench.authority, False, "/nowhere", None, bench.authority, "", True):
        bench.client.verify = verify
        bench.show(lambda: bench.client.get("/hello"))


@case("tls-of-another-name", host="https://127.0.0.2:{tls}")
def _tls_name(bench: Bench) -> None:
    bench.show(lambda: bench.client.get("/hello", verify=bench.authority))
    bench.client.verify = bench.authority
    bench.show(lambda: bench.client.get("/hello"))


@case("tls-by-name", host="https://localhost:{tls}")
def _tls_by_name(bench: Bench) -> None:
    bench.client.verify = bench.authority
    for _ in range(2):
        bench.show(lambda: bench.client.get("/b/count"))
    bench.show(lambda: bench.client.get("/b/cookie-secure"))
    bench.show(lambda: bench.client.get("/b/count"))
    bench.show(lambda: bench.client.post("/hello", data=b"x" * 300_000))


@case("tls-client-certificate", host="https://127.0.0.1:{mutual}")
def _mutual(bench: Bench) -> None:
    bench.client.verify = bench.authority
    bench.show(lambda: bench.client.get("/hello", cert=bench.client_certificate))
    bench.client.cert = bench.client_certificate
    bench.show(lambda: bench.client.get("/hello"))
    bench.client.cert = bench.client_certificate[0]
    bench.show(lambda: bench.client.get("/hello"))
    bench.client.cert = (bench.client_certificate[0], "/nowhere")
    bench.show(lambda: bench.client.get("/hello"))
    bench.client.cert = list(bench.client_certificate)
    bench.show(lambda: bench.client.get("/hello"))


for _answer in ("hangs", "hangs-in-body"):
    shown(
        f"tls-{_answer}",
        lambda client, answer=_answer: client.get(f"/b/{answer}", timeout=TIMEOUT_S, verify=False),  # type: ignore[misc]
        host=_TLS,
    )


@case("tls-session-timeout", host=_TLS)
def _tls_timeout(bench: Bench) -> None:
    bench.client.verify = bench.authority
    bench.show(lambda: bench.client.get("/b/hangs-in-body", timeout=TIMEOUT_S))
    bench.show(lambda: bench.client.get("/b/hangs", timeout=(1, TIMEOUT_S)))
    bench.show(lambda: bench.client.get("/hello", timeout=TIMEOUT_S * 10))
