"""The printed command, run by a real shell with a real curl, sends what the request says."""

import asyncio
import base64
import os
import re
import shutil
import subprocess
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from withstand.client.curl import curl_line
from withstand.client.exchange import Request, json_request
from withstand.client.masking import Mask
from withstand.client.target import Target
from withstand.client.wire_format import request_bytes

from .loops import LOOPS, runner
from .tcp_server import Peer, serving

TARGET = Target(scheme="http", host="127.0.0.1", port=8000)
VARIABLES = {
    "WITHSTAND_TOKEN_ALICE": "head.pay%s'\"$HOME`load.sign\\nature",
    "WITHSTAND_PASSWORD_ALICE": "%n p'w\"$(id)\\n",
}
SHELLS = [shell for shell in ("dash", "bash") if shutil.which(shell)]

needs_curl = pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")


def sent_by(command: str, *, shell: str, port: int, body_bytes: int) -> bytes:
    """What a server receives when the shell runs the command."""

    async def handler(peer: Peer) -> None:
        data = await peer.reader.readuntil(b"\r\n\r\n")
        received.append(data + await peer.reader.readexactly(body_bytes))
        await peer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")

    received: list[bytes] = []

    async def main() -> None:
        async with serving(handler) as server:
            process = await asyncio.create_subprocess_exec(
                shell,
                "-c",
                command.replace(f":{port}", f":{server.target.port}").replace(
                    f" {port}", f" {server.target.port}"
                ),
                env={"PATH": os.environ["PATH"], **VARIABLES},
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
            )
            _, errors = await process.communicate()
            assert received, errors.decode()

    runner(LOOPS["asyncio"])(main())
    return received[0]


def expanded(text: str) -> str:
    """What a shell makes of the variables."""
    text = re.sub(r"\$\{(\w+)##\*\.\}", lambda found: VARIABLES[found[1]].rpartition(".")[2], text)
    return re.sub(r"\$\{?(WITHSTAND_\w+)\}?", lambda found: VARIABLES[found[1]], text)


def check(request: Request, shell: str) -> None:
    command = curl_line(request, TARGET)
    body = expanded(request.body.decode("utf-8", "surrogateescape"))
    wanted_body = body.encode("utf-8", "surrogateescape")
    got = sent_by(command, shell=shell, port=TARGET.port, body_bytes=len(wanted_body))
    head, _, got_body = got.partition(b"\r\n\r\n")
    line, *fields = head.split(b"\r\n")
    wanted = f"{request.method} {expanded(request.path)} HTTP/1.1"
    assert line == wanted.encode("utf-8", "surrogateescape")
    for name, value in request.headers:
        wanted = f"{name}: {expanded(value)}".rstrip(" ")
        assert wanted.encode("utf-8", "surrogateescape") in [field.rstrip() for field in fields]
    names = [field.partition(b":")[0].lower() for field in fields]
    assert (b"content-type" in names) is (request.header("content-type") is not None)
    assert got_body == wanted_body


REQUESTS = {
    "a plain GET": Request(method="GET", path="/users?limit=10&offset=2"),
    "dots and escapes that curl would tidy": Request(
        method="GET", path="/a/../b/./c/%2e%2e//x%00;y?[1-3]={a,b}&c=~"
    ),
    "a path that is no path": Request(method="OPTIONS", path="*"),
    "an address as the path": Request(method="GET", path="http://elsewhere/x"),
    "a fragment, quotes, spaces and what a shell would expand": Request(
        method="GET", path='/it\'s "$HOME" `id` $(id) \\n!! #x'
    ),
    "bytes that are no text": Request(method="GET", path="/\udcff\udc80ä\x7f\x01"),
    "odd verbs": Request(method="get$'x", path="/"),
    "HEAD": Request(method="HEAD", path="/users"),
    "DELETE": Request(method="DELETE", path="/users/1"),
    "POST without a body": Request(method="POST", path="/a"),
    "JSON": json_request("POST", "/a", {"it's": '"ä"\n\t$HOME\\n'}),
    "a body that curl would take for a file": Request(
        method="POST", path="/a", body=b"@/etc/hosts"
    ),
    "a body that ends in newlines": Request(method="POST", path="/a", body=b"a\n\n"),
    "a body with GET": Request(method="GET", path="/a", body=b"a=1"),
    "a body of bytes": Request(
        method="PUT", path="/a", body=bytes(range(256)) + b"%s %d '\\ -$WITHSTAND_TOKEN_ALICE"
    ),
    "headers": Request(
        method="GET",
        path="/",
        headers=(
            ("X-Quote", 'it\'s "$HOME" `id` \\n !!'),
            ("X-Empty", ""),
            ("User-Agent", "sqlmap; 1"),
            ("Host", "evil.example"),
            ("X-Two", "1"),
            ("X-Two", "2"),
            ("X-Latin", "\udcff"),
        ),
    ),
    "secrets": Request(
        method="PATCH",
        path="/a?t=${WITHSTAND_TOKEN_ALICE}x",
        headers=(
            ("Authorization", "Bearer $WITHSTAND_TOKEN_ALICE"),
            ("X-Forged", "eyJ.e30.${WITHSTAND_TOKEN_ALICE##*.}"),
        ),
        body=b'{"password": "$WITHSTAND_PASSWORD_ALICE", "other": "$HOME"}',
    ),
}


@needs_curl
@pytest.mark.parametrize("shell", SHELLS)
@pytest.mark.parametrize("name", REQUESTS)
def test_curl_sends_the_request_byte_for_byte(name: str, shell: str) -> None:
    command = curl_line(REQUESTS[name], TARGET)
    assert "curl " in command
    check(REQUESTS[name], shell)


RAW_REQUESTS = {
    "a NUL byte": Request(method="GET", path="/a\0b"),
    "a header in a header": Request(method="GET", path="/", headers=(("X", "1\r\nY: 2"),)),
    "a wrong length": Request(
        method="POST", path="/", headers=(("Content-Length", "5"),), body=b"1234567%d"
    ),
    "a coding of one's own": Request(
        method="POST", path="/", headers=(("Transfer-Encoding", "chunked"),), body=b"0\r\n\r\n"
    ),
    "a secret among them": Request(
        method="POST",
        path="/\0",
        headers=(("Authorization", "Bearer $WITHSTAND_TOKEN_ALICE"),),
        body=b"-",
    ),
}


@pytest.mark.parametrize("shell", SHELLS)
@pytest.mark.parametrize("name", RAW_REQUESTS)
def test_what_curl_cannot_send_is_printed_raw_into_a_connection(name: str, shell: str) -> None:
    request = RAW_REQUESTS[name]
    printing, _, into = curl_line(request, TARGET).rpartition(" | ")
    assert into == "nc 127.0.0.1 8000"
    wanted = request_bytes(request, authority="127.0.0.1:8000", user_agent="withstand")
    printed = subprocess.run(
        [shell, "-c", printing], env=VARIABLES, capture_output=True, check=True
    )
    assert printed.stdout == expanded(wanted.decode()).encode()


@needs_curl
@settings(max_examples=25)
@given(
    st.text(st.characters(exclude_characters="\0\r\n"), max_size=15),
    st.binary(max_size=40),
)
def test_no_text_escapes_its_quotes(text: str, body: bytes) -> None:
    text = text.encode("utf-8", "surrogatepass").decode("utf-8", "surrogateescape")
    request = Request(method="POST", path=f"/{text}", body=body)
    check(request, SHELLS[0])


@needs_curl
def test_masked_basic_credentials_become_a_user_and_a_password() -> None:
    password = VARIABLES["WITHSTAND_PASSWORD_ALICE"]
    credentials = base64.b64encode(f"alice:{password}".encode()).decode()
    told = Request(method="GET", path="/", headers=(("Authorization", f"Basic {credentials}"),))
    masked = Mask({password: "$WITHSTAND_PASSWORD_ALICE"}).request(told)
    command = curl_line(masked, TARGET)
    assert password not in command
    assert credentials not in command
    got = sent_by(command, shell=SHELLS[0], port=TARGET.port, body_bytes=0)
    assert f"Authorization: Basic {credentials}\r\n".encode() in got


def test_the_command_is_one_that_a_person_can_read() -> None:
    request = json_request(
        "POST", "/users", {"a": 1}, {"Authorization": "Bearer $WITHSTAND_TOKEN_ALICE"}
    )
    assert curl_line(request, TARGET) == (
        "curl --include --path-as-is --globoff --header 'Content-Type: application/json' "
        "--header 'Authorization: Bearer '\"$WITHSTAND_TOKEN_ALICE\" "
        "--data-raw '{\"a\": 1}' http://127.0.0.1:8000/users"
    )


def test_tls_is_verified_by_the_command_as_it_was_by_the_scan() -> None:
    secure = replace(TARGET, scheme="https", ca_file="/my ca.pem")
    get = Request(method="GET", path="/")
    assert "--http1.1 --cacert '/my ca.pem' https://127.0.0.1:8000/" in curl_line(get, secure)
    assert "--http1.1 --insecure " in curl_line(get, replace(secure, verify=False))
    raw = curl_line(replace(get, path="/\0"), secure)
    assert raw.endswith("| openssl s_client -quiet -connect 127.0.0.1:8000")
