"""A request as a shell command that sends it again. Pure.

The command is for any POSIX shell. Whatever the caller masked stays a variable: `$WITHSTAND_…`
and the forms of it that `withstand.client.masking` writes are left for the shell to expand,
everything else reaches the server as it stands here.
"""

import re
from typing import Final

from withstand.client.exchange import Request
from withstand.client.target import Target
from withstand.client.wire_format import request_bytes

# $NAME, ${NAME}, and ${NAME##*.}, the part of it after the last dot (a JWT's signature).
_VARIABLE: Final = re.compile(r"\$WITHSTAND_[A-Z0-9_]+|\$\{WITHSTAND_[A-Z0-9_]+(?:##\*\.)?\}")
_BASIC: Final = re.compile(r"Basic base64\((.*)\)", re.DOTALL)

# What curl puts into the request line as it is given; the rest goes through --request-target.
_PLAIN_PATH: Final = re.compile(r"/[A-Za-z0-9\-._~%!$&'()*+,;=:@/?]*")
_PLAIN_WORD: Final = re.compile(r"[A-Za-z0-9_./:=@%+,\-]+")

# Bytes that cannot be typed: controls but newline and tab, DEL, and what is no UTF-8.
_UNTYPABLE: Final = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff]+")


def curl_line(request: Request, target: Target, *, follows: bool = False) -> str:
    """The command that sends the request to the target again and prints the whole response.

    With `follows` it prints the page as well to which a redirect leads.

    curl does it for every request but those that it would repair or cannot be told: a NUL byte or
    a line break in the head, a wrong Content-Length, a Transfer-Encoding. For these the bytes are
    written to a raw connection (`nc`, or `openssl s_client`).
    """
    if _is_beyond_curl(request):
        return _raw(request, target)
    words = ["curl", "--include", "--path-as-is", "--globoff", *_tls_options(target)]
    words += ["--location"] if follows and request.method == "POST" else []
    words += _method_options(request)
    typed = _UNTYPABLE.search(_text(request.body)) is None
    for name, value in request.headers:
        basic = _BASIC.fullmatch(value)
        if basic and name.lower() == "authorization":
            words += ["--user", _quoted(basic[1])]
        else:
            words += ["--header", _quoted(f"{name}: {value}" if value else f"{name};")]
    if _has_content(request):
        if request.header("content-type") is None:
            words += ["--header", "'Content-Type:'"]  # or curl says that it is a form
        if len(request.body) > 1_000_000:
            words += ["--header", "'Expect:'"]  # or curl waits for leave to send it
        words += ["--data-raw", _quoted(_text(request.body))] if typed else ["--data-binary", "@-"]
    origin = f"{target.scheme}://{target.authority}"
    if _PLAIN_PATH.fullmatch(request.path):
        words.append(_quoted(origin + request.path))
    else:
        words += ["--request-target", _quoted(request.path), _quoted(f"{origin}/")]
    command = " ".join(words)
    return command if typed else f"{_printf(_text(request.body))} | {command}"


def _is_beyond_curl(request: Request) -> bool:
    head = "".join(
        (request.method, request.path, *(part for pair in request.headers for part in pair))
    )
    length = request.header("content-length")
    return (
        any(character in head for character in "\0\r\n")
        or request.header("transfer-encoding") is not None
        or (length is not None and length != str(len(request.body)))
        or (request.method == "HEAD" and bool(request.body))
        or not request.method
        or any(not name or name[0] in "@ \t" or name[-1] in " \t;:" for name, _ in request.headers)
    )


def _has_content(request: Request) -> bool:
    return bool(request.body) or request.method in {"POST", "PUT", "PATCH"}


def _method_options(request: Request) -> list[str]:
    if request.method == "HEAD":
        return ["--head"]
    if request.method == ("POST" if _has_content(request) else "GET"):
        return []
    return ["--request", _quoted(request.method)]


def _tls_options(target: Target) -> list[str]:
    if target.scheme != "https":
        return []
    options = ["--http1.1"]
    if not target.verify:
        options.append("--insecure")
    if target.ca_file is not None:
        options += ["--cacert", _quoted(target.ca_file)]
    return options


def _raw(request: Request, target: Target) -> str:
    data = request_bytes(request, authority=target.authority, user_agent="withstand")
    if target.scheme == "https":
        open_it = f"openssl s_client -quiet -connect {_quoted(f'{target.host}:{target.port}')}"
    else:
        open_it = f"nc {_quoted(target.host)} {target.port}"
    return f"{_printf(_text(data))} | {open_it}"


def _text(data: bytes) -> str:
    return data.decode("utf-8", "surrogateescape")


def _quoted(text: str) -> str:
    """One shell word: literals in single quotes, variables and untypable bytes in double ones."""
    if _PLAIN_WORD.fullmatch(text):
        return text
    pieces = []
    end = 0
    for match in re.finditer(f"{_VARIABLE.pattern}|{_UNTYPABLE.pattern}", text):
        pieces += _literal(text[end : match.start()])
        found = match.group()
        pieces.append(f'"{found}"' if found[0] == "$" else f'"$(printf {_octal(found)})"')
        end = match.end()
    pieces += _literal(text[end:])
    return "".join(pieces) or "''"


def _literal(text: str) -> list[str]:
    return ["'" + text.replace("'", "'\\''") + "'"] if text else []


def _octal(text: str) -> str:
    data = text.encode("utf-8", "surrogateescape")
    return "'" + "".join(f"\\{byte:03o}" for byte in data) + "'"


def _printf(text: str) -> str:
    """A command that prints the text; variables are its arguments, so that nothing in them acts."""
    pieces = []
    end = 0
    variables = []
    for match in _VARIABLE.finditer(text):
        pieces += [_format(text[end : match.start()]), "%s"]
        variables.append(f' "{match.group()}"')
        end = match.end()
    pieces.append(_format(text[end:]))
    return f"printf '{''.join(pieces)}'{''.join(variables)}"


def _format(text: str) -> str:
    """Text as a part of a single-quoted printf format, in bytes that can be typed."""
    parts = []
    for byte in text.encode("utf-8", "surrogateescape"):
        character = chr(byte)
        if character == "%":
            parts.append("%%")
        elif 0x20 <= byte < 0x7F and character not in "'\\-":
            parts.append(character)
        else:
            parts.append(_FORMAT_NAMES.get(character, f"\\{byte:03o}"))
    return "".join(parts)


_FORMAT_NAMES: Final = {"\r": "\\r", "\n": "\\n", "\t": "\\t", "\\": "\\\\"}
