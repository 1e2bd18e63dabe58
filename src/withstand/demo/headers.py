"""The headers that every response carries, after the OWASP REST security cheat sheet."""

from withstand.demo.flaws import Planted

_ALWAYS = [
    ("Cache-Control", "no-store"),
    ("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'"),
    ("Referrer-Policy", "no-referrer"),
    ("X-Content-Type-Options", "nosniff"),
    ("X-Frame-Options", "DENY"),
]
# Meaningless over plain HTTP, where anybody on the way could add or remove it.
_OVER_TLS = [("Strict-Transport-Security", "max-age=63072000; includeSubDomains")]


def security_headers(*, https: bool, planted: Planted) -> list[tuple[str, str]]:
    """For the server to add, which thus covers also what it answers before the API is asked."""
    return _ALWAYS + _OVER_TLS if https and not planted.has("no-hsts") else _ALWAYS
