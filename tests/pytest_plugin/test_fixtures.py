"""The fixtures against a real API: who is logged in, how often, and what is missing."""

import re

import pytest

from .conftest import LoginApi, RunProject, write_configuration

_EVERYTHING = """
    def test_client(api_client, api_url):
        assert str(api_client.base_url).rstrip("/") == api_url
        assert api_client.get("/whoami").json() == {"email": "alice@example.com"}

    def test_by_role_and_by_name(client_as):
        assert client_as("admin").get("/whoami").json() == {"email": "root@example.com"}
        assert client_as("bob").get("/whoami").json() == {"email": "bob@example.com"}

    def test_tokens(api_client, tokens, user_token, other_user_token, admin_token):
        assert list(tokens) == ["alice", "bob", "root"]
        for token, name in [
            (user_token, "alice"), (other_user_token, "bob"), (admin_token, "root"),
            (tokens["bob"], "bob"),
        ]:
            answer = api_client.get("/whoami", headers={"Authorization": f"Bearer {token}"})
            assert answer.json() == {"email": f"{name}@example.com"}

    def test_bad_tokens(api_client, expired_token, tampered_token, user_token):
        assert tampered_token != user_token
        for token in (expired_token, tampered_token):
            answer = api_client.get("/whoami", headers={"Authorization": f"Bearer {token}"})
            assert answer.status_code == 401
"""
_ALICE = 'alice = { role = "user", token = "given" }'
_SHORT = 'short_lived = { expires_in = -1 }\nleeway = "0s"'


def test_every_fixture_does_what_its_name_says(
    run: RunProject, project: pytest.Pytester, login_api: LoginApi
) -> None:
    write_configuration(project, login_api.configuration(login=_SHORT))
    project.makepyfile(_EVERYTHING)

    result = run()

    result.assert_outcomes(passed=4)
    result.stdout.fnmatch_lines(["logged in: alice (user), bob (user), root (admin)"])
    # Alice twice: once for good, once for the token that expires.
    assert sorted(login_api.logins) == [
        "alice@example.com", "alice@example.com", "bob@example.com", "root@example.com",
    ]  # fmt: skip


@pytest.mark.slow
def test_each_identity_logs_in_once_for_all_workers_and_no_token_stays_behind(
    run_parallel: RunProject,
    project: pytest.Pytester,
    login_api: LoginApi,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    temporary = project.mkdir("temporary")
    monkeypatch.setenv("TMPDIR", str(temporary))
    write_configuration(project, login_api.configuration(login=_SHORT))
    project.makepyfile(
        """
        import os, stat, tempfile
        from pathlib import Path
        import pytest

        @pytest.mark.parametrize("number", range(8))
        def test_all(client_as, expired_token, number):
            for name in ("alice", "bob", "root"):
                assert client_as(name).get("/whoami").json() == {"email": f"{name}@example.com"}
            (store,) = Path(tempfile.gettempdir()).glob("withstand-*/tokens.json")
            assert stat.S_IMODE(store.stat().st_mode) == 0o600
            assert stat.S_IMODE(store.parent.stat().st_mode) == 0o700
        """
    )

    result = run_parallel()

    result.assert_outcomes(passed=8)
    assert sorted(login_api.logins) == [
        "alice@example.com", "alice@example.com", "bob@example.com", "root@example.com",
    ]  # fmt: skip
    result.stdout.fnmatch_lines(["logged in: alice (user), bob (user), root (admin)"])
    assert list(temporary.glob("withstand-*")) == []


def test_an_explicit_headers_argument_replaces_the_credential(
    run: RunProject, project: pytest.Pytester, login_api: LoginApi
) -> None:
    write_configuration(project, login_api.configuration())
    project.makepyfile(
        """
        def test_headers(api_client):
            assert api_client.get("/whoami").status_code == 200
            assert api_client.get("/whoami", headers={}).status_code == 401
            assert api_client.get("/whoami", headers={"X-Other": "1"}).status_code == 401
            bogus = {"Authorization": "Bearer bogus"}
            assert api_client.get("/whoami", headers=bogus).status_code == 401
            with api_client.stream("GET", "/whoami", headers={}) as answer:
                assert answer.status_code == 401
            assert api_client.get("/whoami").status_code == 200
        """
    )

    run().assert_outcomes(passed=1)
    sent = login_api.authorizations
    assert sent[1] is sent[2] is sent[4] is None
    assert sent[3] == "Bearer bogus"


def test_an_anonymous_call_carries_no_cookie_of_an_earlier_call(
    run: RunProject, project: pytest.Pytester, login_api: LoginApi
) -> None:
    write_configuration(project, login_api.configuration())
    project.makepyfile(
        """
        def test_cookies(api_client):
            api_client.get("/session")
            api_client.get("/with")
            api_client.get("/without", headers={})
            api_client.get("/own", headers={"Cookie": "mine=1"})
        """
    )

    run().assert_outcomes(passed=1)
    cookies = {request.path: request.headers.get("cookie") for request in login_api.seen}
    assert cookies["/with"] == "sid=from-the-server"
    assert cookies["/without"] is None
    assert cookies["/own"] == "mine=1"


def test_the_credential_goes_to_no_other_host(
    run: RunProject, project: pytest.Pytester, login_api: LoginApi
) -> None:
    other = login_api.url.replace("127.0.0.1", "localhost")
    text = login_api.configuration(login='send_as = "X-Api-Key: {token}"')
    write_configuration(project, text)
    project.makepyfile(
        f"""
        def test_hosts(api_client):
            api_client.get("/here")
            api_client.get("{other}/named")
            api_client.get("/elsewhere?{other}/redirected", follow_redirects=True)
        """
    )

    run().assert_outcomes(passed=1)
    keys = {request.path.split("?")[0]: request.headers.get("x-api-key")
            for request in login_api.seen}  # fmt: skip
    assert keys["/here"]
    assert keys["/elsewhere"] == keys["/here"]
    assert keys["/named"] is None
    assert keys["/redirected"] is None


def test_a_token_that_has_expired_is_replaced(
    run: RunProject, project: pytest.Pytester, login_api: LoginApi
) -> None:
    login_api.lifetime_s = 0
    write_configuration(project, login_api.configuration())
    project.makepyfile("def test_a(tokens): assert tokens['alice'] != tokens['alice']")

    run().assert_outcomes(passed=1)

    assert len(login_api.logins) == 2


def test_the_option_for_the_url_comes_before_the_file(
    run: RunProject, project: pytest.Pytester, login_api: LoginApi
) -> None:
    text = login_api.configuration().replace(login_api.url, "http://127.0.0.1:9")
    write_configuration(project, text)
    project.makepyfile("def test_a(api_client): assert api_client.get('/').status_code == 200")

    run("--api-url", login_api.url).assert_outcomes(passed=1)


def test_a_named_configuration_comes_before_the_nearest(
    run: RunProject, project: pytest.Pytester, login_api: LoginApi
) -> None:
    write_configuration(project, "[target]\nbase_url = 'http://127.0.0.1:9'\n")
    (project.path / "other.toml").write_text(login_api.configuration(), encoding="utf-8")
    project.makepyfile("def test_a(api_client): assert api_client.get('/').status_code == 200")

    run("--withstand-config=other.toml").assert_outcomes(passed=1)


def test_a_conftest_can_say_where_the_api_is_and_bring_its_own_tokens(
    run: RunProject, project: pytest.Pytester, login_api: LoginApi
) -> None:
    project.makeconftest(
        f"""
        import pytest

        @pytest.fixture(scope="session")
        def api_url():
            return "{login_api.url}"

        @pytest.fixture(scope="session")
        def tokens():
            return {{"me": "my-own-token"}}
        """
    )
    project.makepyfile(
        """
        def test_a(api_client, client_as):
            api_client.get("/first")
            client_as("me").get("/second")
        """
    )

    run().assert_outcomes(passed=1)

    assert login_api.authorizations == ["Bearer my-own-token"] * 2


def test_without_identities_the_client_is_anonymous(
    run: RunProject, project: pytest.Pytester, login_api: LoginApi
) -> None:
    project.makepyfile("def test_a(api_client): assert api_client.get('/').status_code == 401")

    run("--api-url", login_api.url).assert_outcomes(passed=1)

    assert login_api.authorizations == [None]


@pytest.mark.parametrize(
    ("fixture", "identities", "words"),
    [
        ("user_token", "", r"no identity 'user'.*there are: none"),
        ("admin_token", _ALICE, r"under \[identities\], add admin = \{ role"),
        ("other_user_token", _ALICE, r"no second identity 'user'.*alice \(user\)"),
        ("expired_token", _ALICE, r"set short_lived = \{ expires_in = 1 \}"),
    ],
)
def test_a_token_that_cannot_be_had_skips_the_test_with_the_line_that_would_give_it(
    run: RunProject,
    project: pytest.Pytester,
    login_api: LoginApi,
    fixture: str,
    identities: str,
    words: str,
) -> None:
    write_configuration(
        project, f'[target]\nbase_url = "{login_api.url}"\n[identities]\n{identities}\n'
    )
    project.makepyfile(f"def test_a({fixture}): assert False")

    result = run("-rs")

    result.assert_outcomes(skipped=1)
    assert re.search(words, result.stdout.str(), flags=re.DOTALL)


def test_an_identity_nobody_configured_skips_with_the_line_to_add(
    run: RunProject, project: pytest.Pytester, login_api: LoginApi
) -> None:
    write_configuration(project, login_api.configuration())
    project.makepyfile("def test_a(client_as): client_as('auditor')")

    result = run("-rs")

    result.assert_outcomes(skipped=1)
    result.stdout.fnmatch_lines(["*no identity 'auditor' is configured*alice (user)*"])
    assert 'auditor = { role = "auditor"' in result.stdout.str()


def test_a_failed_login_is_tried_once_and_told_in_one_message(
    run_parallel: RunProject, project: pytest.Pytester, login_api: LoginApi
) -> None:
    wrong = 'alice = { role = "user", email = "alice@example.com", password = "not-hers-5318" }'
    write_configuration(project, login_api.configuration(identities=wrong))
    project.makepyfile(
        "import pytest\n@pytest.mark.parametrize('n', range(4))\n"
        "def test_a(api_client, n): assert False"
    )

    result = run_parallel()

    result.assert_outcomes(errors=4)
    result.stdout.fnmatch_lines(
        ["*alice cannot log in: POST /auth/token answered 401", "*check alice under*identities*"]
    )
    assert login_api.logins == ["alice@example.com"]
    assert "Traceback" not in result.stdout.str()
    assert "not-hers-5318" not in result.stdout.str()


def test_an_unreachable_target_is_one_message_with_the_next_step(
    run: RunProject, project: pytest.Pytester
) -> None:
    project.makepyfile("def test_a(api_client): assert False")

    result = run("--api-url", "http://127.0.0.1:9")

    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(
        ["*nothing answers at http://127.0.0.1:9: Connection refused", "*→ start the API, or*"]
    )
    assert len(result.outlines) < 25


def test_no_base_url_is_one_message_with_the_next_step(
    run: RunProject, project: pytest.Pytester
) -> None:
    project.makepyfile("def test_a(api_client): assert False")

    result = run()

    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*no base URL is given", "*--api-url URL to pytest*"])


def test_a_configured_expired_token_needs_no_login(
    run: RunProject, project: pytest.Pytester, login_api: LoginApi
) -> None:
    write_configuration(project, login_api.configuration(login='expired_token = "once-was-good"'))
    project.makepyfile("def test_a(expired_token): assert expired_token == 'once-was-good'")

    run().assert_outcomes(passed=1)

    assert login_api.seen == []


def test_an_expiry_that_is_too_far_away_is_not_waited_for(
    run: RunProject, project: pytest.Pytester, login_api: LoginApi
) -> None:
    write_configuration(
        project, login_api.configuration(login="short_lived = { expires_in = 3600 }")
    )
    project.makepyfile("def test_a(expired_token): assert False")

    result = run("-rs")

    result.assert_outcomes(skipped=1)
    result.stdout.fnmatch_lines(["*the wait ends at 120 s*"])


def test_an_identity_with_a_token_of_its_own_needs_no_login(
    run: RunProject, project: pytest.Pytester, login_api: LoginApi
) -> None:
    write_configuration(
        project, f'[target]\nbase_url = "{login_api.url}"\n[identities]\n{_ALICE}\n'
    )
    project.makepyfile("def test_a(api_client): api_client.get('/')")

    run().assert_outcomes(passed=1)

    assert login_api.authorizations == ["Bearer given"]
    assert login_api.logins == []


def test_a_problem_of_the_configuration_is_told_once_without_a_traceback(
    run: RunProject, project: pytest.Pytester
) -> None:
    write_configuration(project, "[target]\nbase_uri = 'http://127.0.0.1:9'\n")
    project.makepyfile("def test_a(api_client): assert False")

    text = run().stdout.str()

    # In CI pytest repeats the message in its summary.
    assert text.split("short test summary")[0].count("base_uri") == 1
    assert "During handling" not in text
    assert "Traceback" not in text


def test_a_login_that_fails_within_a_test_is_one_message_too(
    run: RunProject, project: pytest.Pytester, login_api: LoginApi
) -> None:
    wrong = 'alice = { role = "user", email = "alice@example.com", password = "not-hers-5318" }'
    write_configuration(project, login_api.configuration(identities=wrong))
    project.makepyfile("def test_a(tokens): tokens['alice']")

    result = run()

    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["alice cannot log in: POST /auth/token answered 401"])
    assert len(result.outlines) < 25
