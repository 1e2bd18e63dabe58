"""The demo as a program: what it says, where it listens, how it ends."""

import signal
import socket
import ssl
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest

from withstand.demo.__main__ import main
from withstand.demo.server import bound_to

from .in_process import in_process
from .running import RunningDemo, running

POSIX_ONLY = pytest.mark.skipif(sys.platform == "win32", reason="sends POSIX signals")


@pytest.fixture(scope="module")
def secure(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningDemo]:
    # A space in the path: the ready line has to be quoted.
    data = tmp_path_factory.mktemp("demo") / "with space"
    with running("--https", "--data", str(data)) as started:
        yield started


def test_the_ready_line_names_the_url_and_the_process(demo: RunningDemo) -> None:
    assert demo.words.keys() == {"url", "pid"}
    assert int(demo.words["pid"]) == demo.process.pid


def test_https_is_trusted_by_its_own_authority_only(secure: RunningDemo) -> None:
    assert secure.words["url"].startswith("https://")
    assert secure.request("GET", "/health").headers["strict-transport-security"]
    with pytest.raises(httpx2.ConnectError, match=r"(?i)certificate"), httpx2.Client() as stranger:
        stranger.get(secure.words["url"] + "/health")


def test_the_certificate_satisfies_strict_verification_for_every_loopback_name(
    secure: RunningDemo,
) -> None:
    port = httpx2.URL(secure.words["url"]).port
    context = ssl.create_default_context(cafile=secure.words["ca_file"])
    context.verify_flags |= ssl.VERIFY_X509_STRICT

    for name in ("127.0.0.1", "localhost", "::1"):
        with (
            socket.create_connection(("127.0.0.1", port), timeout=10) as plain,
            context.wrap_socket(plain, server_hostname=name) as wrapped,
        ):
            assert wrapped.version() in {"TLSv1.2", "TLSv1.3"}


def test_plain_http_redirects_and_serves_nothing(secure: RunningDemo) -> None:
    with httpx2.Client(base_url=secure.words["http_url"]) as client:
        for method, path in (("GET", "/users?limit=1"), ("POST", "/auth/token"), ("GET", "/x")):
            answer = client.request(method, path)
            assert answer.status_code == 308
            assert answer.headers["location"] == secure.words["url"] + path
            assert answer.content == b""
            assert "server" not in answer.headers


def test_secrets_in_the_data_directory_are_their_owners_only(secure: RunningDemo) -> None:
    folder = Path(secure.words["ca_file"]).parent

    for name in ("jwt.key", "server.key"):
        assert (folder / name).stat().st_mode & 0o077 == 0
    assert len((folder / "jwt.key").read_bytes()) >= 32


def test_planted_flaws_show_over_real_sockets_too(tmp_path: Path) -> None:
    with running("--flaws", "all", "--https", "--ready-file", str(tmp_path / "ready")) as flawed:
        assert flawed.client.get("/users").json()["items"][0]["password_hash"]
        assert flawed.client.get("/products?q='").status_code == 500
        assert flawed.client.get("/products?q=%00").status_code == 500
        with httpx2.Client() as plain:
            assert plain.get(flawed.words["http_url"] + "/health").status_code == 200
        assert f"url={flawed.words['url']} " in (tmp_path / "ready").read_text()


def test_what_was_ordered_is_there_after_a_restart(tmp_path: Path) -> None:
    with in_process(tmp_path) as first:
        order = first.send("POST", "/orders", as_="bob", json={"items": ["SKU-001"]}).json()
        token = first.shop.tokens.issue(first.user("bob"), lifetime_s=60)
    with in_process(tmp_path) as second:
        assert second.send("GET", f"/orders/{order['id']}", token=token).json() == order
        assert len(second.send("GET", "/products?limit=100").json()["items"]) == 36


@POSIX_ONLY
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_quietly_and_leaves_nothing_behind(
    tmp_path: Path, number: signal.Signals, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    with running() as demo:
        demo.client.get("/health")  # and keep the connection open
        assert [*tmp_path.iterdir()] != []
        demo.process.send_signal(number)

        assert demo.process.wait(timeout=10) == 0
        assert demo.process.stderr is not None
        assert demo.process.stderr.read() == ""
        assert [*tmp_path.iterdir()] == []


def test_a_usage_error_is_told_on_stderr_and_by_the_exit_code() -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "withstand.demo", "--flaws", "nonsense"],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )

    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr.startswith("There is no flaw named 'nonsense'")


def test_a_busy_port_is_one_sentence_and_exit_2(capsys: pytest.CaptureFixture[str]) -> None:
    with bound_to(0) as taken:
        taken.listen()
        port = taken.getsockname()[1]

        assert main(["--port", str(port)]) == 2
        assert main(["--port", "0", "--https", "--http-port", str(port)]) == 2

    assert capsys.readouterr().err == 2 * (
        f"Port {port} on 127.0.0.1 cannot be used (Address already in use); "
        "choose another, or 0 for any free one.\n"
    )


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--port", "99999"], "Port 99999"),
        (["--port", "0", "--data", "{file}"], "{file} cannot be written"),
        (["--port", "0", "--data", "{folder}"], "The shop in {folder} cannot be opened"),
        (["--port", "0", "--ready-file", "{folder}/none/x"], "{folder}/none/x cannot be written"),
    ],
)
def test_what_keeps_it_from_serving_is_one_sentence_and_exit_2(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], said: str
) -> None:
    (tmp_path / "shop.sqlite3").write_text("this is no database, whatever its name may say " * 9)
    places = {"file": str(tmp_path / "shop.sqlite3"), "folder": str(tmp_path)}

    assert main([argument.format(**places) for argument in arguments]) == 2

    told = capsys.readouterr().err
    assert told.startswith(said.format(**places))
    assert told.count("\n") == 1


def test_its_sockets_name_their_protocol_so_that_asyncio_sends_without_delay() -> None:
    with bound_to(0) as bound:
        assert bound.proto == socket.IPPROTO_TCP
