"""Passwords and tokens stay out of everything pytest prints or writes."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from withstand.pytest_plugin.redaction import Token, mask

from .conftest import PASSWORDS, LoginApi, RunProject, token_of, write_configuration

_LEAKY = """
    import logging
    import pytest

    def test_arguments(user_token, admin_token):
        assert user_token == admin_token

    def test_locals_and_output(api_client, user_token, withstand_settings):
        headers = {"Authorization": f"Bearer {user_token}"}
        alice = withstand_settings.identities()[0]
        password = alice.fields["password"]
        print("printed", headers, password)
        logging.getLogger().warning("logged %s %s", headers, password)
        sent = api_client.get("/whoami", headers=headers).request
        assert sent.headers["Authorization"] == password

    @pytest.fixture
    def broken(user_token):
        raise RuntimeError(f"setup knows {user_token}")

    def test_setup(broken): pass

    def test_expired(expired_token):
        raise RuntimeError(expired_token)
"""


@pytest.mark.parametrize("options", [["-l"], ["-l", "--tb=short"], ["-l", "-vv", "--tb=native"]])
def test_a_failing_test_prints_no_secret(
    run: RunProject, project: pytest.Pytester, login_api: LoginApi, options: list[str]
) -> None:
    short = 'short_lived = { expires_in = -1 }\nleeway = "0s"'
    write_configuration(project, login_api.configuration(login=short))
    project.makepyfile(_LEAKY)

    result = run(*options, "--junitxml=results.xml")

    result.assert_outcomes(failed=3, errors=1)
    texts = [result.stdout.str(), result.stderr.str(), (project.path / "results.xml").read_text()]
    issued = [request.headers["authorization"] for request in login_api.seen
              if "authorization" in request.headers]  # fmt: skip
    secrets = [*PASSWORDS.values(), *(value.removeprefix("Bearer ") for value in issued)]
    assert len(secrets) == 4
    for text in texts:
        for secret in secrets:
            assert secret not in text
            assert secret[-24:] not in text
    assert "<$WITHSTAND_TOKEN_ALICE>" in texts[0]
    assert "<$WITHSTAND_PASSWORD_ALICE>" in texts[0]


def test_a_token_is_a_text_that_does_not_show_itself() -> None:
    token = Token("abc")

    assert repr(token) == "<token>"
    assert f"Bearer {token}" == "Bearer abc"
    assert token == "abc"


def test_a_shortened_secret_is_masked_at_both_ends() -> None:
    secret = token_of("alice@example.com")
    shortened = f"{{'Authorization': 'Bearer {secret[:90]}...{secret[-60:]}'}}"

    assert mask(shortened, {secret: "$T"}) == "{'Authorization': 'Bearer <$T>...<$T>'}"


def test_tokens_that_begin_alike_do_not_spoil_each_others_masks() -> None:
    begin = "eyJhbGciOiJIUzI1NiJ9." + "c" * 50
    short, longer = begin + "a" * 40 + ".s" * 9, begin + "b" * 90 + ".t" * 9
    tokens = {short: "$A", longer: "$B"}

    assert mask(f"{short} {longer}", tokens) == "<$A> <$B>"
    assert "bbb" not in mask(longer[:-30] + "...", tokens)


def test_encoded_secrets_and_signatures_alone_are_masked() -> None:
    token = token_of("alice@example.com")
    secrets = {token: "$T", "pass/word&1": "$P"}

    assert mask("x=pass%2Fword%261", secrets) == "x=$P"
    assert token.rpartition(".")[2] not in mask(f"forged.{token.rpartition('.')[2]}", secrets)


def test_a_tampered_token_and_one_that_a_conftest_got_are_masked_too(
    run: RunProject, project: pytest.Pytester, login_api: LoginApi
) -> None:
    write_configuration(project, login_api.configuration())
    tokens = {name: token_of(f"{name}@example.com") for name in ("alice", "bob", "root")}
    project.makeconftest(
        f"import pytest\n@pytest.fixture(scope='session')\ndef tokens(): return {tokens!r}\n"
    )
    project.makepyfile(
        """
        def test_leak(user_token, tampered_token, client_as):
            sent = f"{user_token} {tampered_token}"
            raise RuntimeError(sent)

        def test_settings(withstand_settings):
            identities = withstand_settings.identities()
            assert not identities
        """
    )

    result = run("-l", "-vv")

    result.assert_outcomes(failed=2)
    shown = result.stdout.str()
    for password in PASSWORDS.values():
        assert password not in shown
    assert tokens["alice"] not in shown
    assert tokens["alice"].split(".")[1] not in shown


def test_another_token_with_the_same_header_is_left_alone() -> None:
    ours, other = token_of("alice@example.com"), token_of("bob@example.com")
    forged = ours.split(".")[0] + ".TAMPERED.signature"

    assert mask(f"{other} {forged}", {ours: "$T"}) == f"{other} {forged}"


@settings(max_examples=60, deadline=None)
@given(
    secret=st.text(min_size=1, max_size=80).filter(lambda text: "$" not in text),
    before=st.text(max_size=20),
    after=st.text(max_size=20),
)
def test_masking_ends_and_leaves_no_secret(secret: str, before: str, after: str) -> None:
    assert secret not in mask(before + secret + after, {secret: "$"}).replace("<$>", "")
