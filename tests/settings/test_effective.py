"""What the settings come to, in the nouns of the layers below."""

from datetime import date
from pathlib import Path

import pytest

from withstand.client.exchange import Response
from withstand.errors import ConfigurationError, UsageError
from withstand.history.retention import Retention
from withstand.load.profile.rhythm import Pacing, ThinkTime
from withstand.scan.catalogue import all_checks
from withstand.scan.finding import Confidence, Finding, Severity
from withstand.scan.policy import Profile
from withstand.settings import load_settings

from .conftest import EXAMPLE, EXAMPLE_ENVIRON, Read

TARGET = '[target]\nbase_url = "http://127.0.0.1:8000"\n'


def test_the_example_gives_target_login_identities_and_policy(read: Read) -> None:
    settings = read(EXAMPLE, EXAMPLE_ENVIRON)
    assert settings.target().base_url == "http://127.0.0.1:8000"
    assert settings.openapi_location == "/openapi.json"
    login = settings.login()
    assert login is not None
    assert login.operation_key == "POST /auth/token"
    alice, bob, root = settings.identities()
    assert (alice.name, bob.role, root.role) == ("alice", "user", "admin")
    assert b'"a-pass"' in (login.request(alice).body or b"")
    policy = settings.policy()
    assert policy.access == {"DELETE /admin/users/{id}": ("admin",)}
    assert policy.public == ("GET /health",)
    assert policy.never == ("POST /shutdown",)
    assert policy.limits == {"POST /auth/login": 10}
    assert policy.cors_origins == ("https://app.example.com",)
    assert policy.fail_on is Severity.MEDIUM
    assert settings.objective_texts() == {
        "GET /users": ("p95<200ms", "p99<400ms", "errors<0.1%"),
        "*": ("p99<1s",),
    }


def test_without_any_file_flags_are_enough(repository: Path) -> None:
    settings = load_settings(
        start=repository, environ={}, overrides={"target.base_url": "http://localhost:9"}
    )
    assert settings.source is None
    assert settings.target().port == 9


def test_a_missing_base_url_names_the_three_ways_to_give_it(repository: Path) -> None:
    settings = load_settings(start=repository, environ={})
    with pytest.raises(UsageError) as caught:
        settings.target()
    for way in ("[target] in withstand.toml", "WITHSTAND_BASE_URL", "--host", "--api-url"):
        assert way in str(caught.value)


def test_a_host_may_be_tested_when_the_file_or_the_caller_allows_it(read: Read) -> None:
    settings = read('[target]\nbase_url = "https://api.example.com"\n')
    with pytest.raises(UsageError, match=r"api\.example\.com is not on this machine"):
        settings.target()
    assert settings.target(allow=("api.example.com",)).port == 443
    allowed = read('[target]\nbase_url = "https://api.example.com"\nallow = ["api.example.com"]')
    assert allowed.target().host == "api.example.com"


def test_a_document_file_is_looked_for_beside_the_file_that_names_it(
    read: Read, repository: Path
) -> None:
    (repository / "api.yaml").write_text("openapi: 3.1.0")
    (repository / "inner").mkdir()
    settings = read(TARGET + "openapi = 'api.yaml'\n")
    assert settings.openapi_location == str(repository / "api.yaml")
    inner = load_settings(start=repository / "inner", environ={})
    assert inner.openapi_location == str(repository / "api.yaml")


def test_a_document_file_of_a_flag_is_looked_for_where_the_command_was_given(
    read: Read, repository: Path
) -> None:
    read(TARGET)
    inner = repository / "inner"
    inner.mkdir()
    (inner / "api.yaml").write_text("openapi: 3.1.0")
    settings = load_settings(start=inner, environ={}, overrides={"target.openapi": "api.yaml"})
    assert settings.openapi_location == str(inner / "api.yaml")
    absolute = load_settings(
        start=repository, environ={}, overrides={"target.openapi": str(inner / "api.yaml")}
    )
    assert absolute.openapi_location == str(inner / "api.yaml")


def test_a_certificate_authority_is_looked_for_beside_the_file_that_names_it(
    read: Read, repository: Path
) -> None:
    text = "[target]\nbase_url = 'https://localhost'\nca_file = 'ca.pem'\n"
    with pytest.raises(ConfigurationError, match=r"target\.ca_file: there is no file .*ca\.pem"):
        read(text)
    (repository / "ca.pem").write_text("")
    assert read(text).target().ca_file == str(repository / "ca.pem")


def test_a_document_may_be_a_url(read: Read) -> None:
    settings = read("[target]\nopenapi = 'https://example.com/openapi.json'\n")
    assert settings.openapi_location == "https://example.com/openapi.json"


def test_a_static_token_makes_a_credential_as_the_login_sends_it(read: Read) -> None:
    login = "[login]\nrequest = 'POST /l'\njson = {a = 'b'}\nsend_as = 'X-Auth: t={token}'\n"
    people = "[identities]\na = { role = 'user', token = 'abc' }\n"
    (plain,) = read(people).identities()
    (with_login,) = read(login + people).identities()
    assert plain.credential is not None
    assert plain.credential.headers == (("Authorization", "Bearer abc"),)
    assert with_login.credential is not None
    assert with_login.credential.headers == (("X-Auth", "t=abc"),)
    assert "token" not in plain.fields
    assert plain.secrets == {"abc": "$WITHSTAND_TOKEN_A"}


@pytest.mark.parametrize(
    ("header", "value"), [("X-Api-Key", "abc"), ("X-Api-Key: key {token}", "key abc")]
)
def test_an_identity_may_have_a_header_of_its_own(read: Read, header: str, value: str) -> None:
    text = f"[identities]\na = {{ role = 'user', token = 'abc', header = '{header}' }}\n"
    (identity,) = read(text).identities()
    assert identity.credential is not None
    assert identity.credential.headers == (("X-Api-Key", value),)


def test_a_login_by_form_sends_a_form(read: Read) -> None:
    text = (
        "[login]\nrequest = 'POST /login'\nform = { user = '{name}' }\ntoken = '$.a.b'\n"
        "leeway = '90s'\nshort_lived = { ttl = 1 }\nexpired_token = 'old'\n"
        "[identities]\nalice = { role = 'user', name = 'al ice' }\n"
    )
    settings = read(text)
    login = settings.login()
    assert login is not None
    assert login.request(settings.identities()[0]).body == b"user=al+ice"
    assert login.leeway_s == 90
    assert login.short_lived == {"ttl": 1}
    assert settings.expired_token == "old"
    answer = Response(status=200, headers=(), body=b'{"a": {"b": "tok"}}')
    credential = login.credential(answer)
    assert credential is not None
    assert credential.token == "tok"


def test_the_scan_may_flood_only_this_machine_unless_told(read: Read) -> None:
    far = '[target]\nbase_url = "https://api.example.com"\n'
    assert read(TARGET).policy().profile is Profile.ABUSE
    assert read(far).policy().profile is Profile.CI
    assert read("").policy().profile is Profile.CI
    assert read(TARGET + "[security]\nprofile = 'readonly'").policy().profile is Profile.READONLY


def test_a_budget_keeps_the_usual_value_of_what_is_not_set(read: Read) -> None:
    usual = read("").budget()
    set_ones = read("[security]\nbudget = { requests = 7, requests_per_s = '60/m' }").budget()
    assert (set_ones.requests, set_ones.requests_per_s) == (7, 1.0)
    assert set_ones.duration_s == usual.duration_s


def test_load_defaults_carry_their_units(read: Read) -> None:
    load = read("[load]\nspawn_rate = 5\nrate = '600/m'\nrun_time = '1m30s'\n").load()
    assert (load.spawn_rate_per_s, load.rate_per_s, load.run_time_s) == (5.0, 10.0, 90.0)
    assert load.users is None


def test_stages_are_one_text_or_a_list_and_pauses_are_read(read: Read) -> None:
    one = read("[load]\nstages = '30s:5u, 1m:5u'\nthink_time = '1s..3s'\n").load()
    listed = read("[load]\nstages = ['30s:5u', '1m:5u']\npacing = '2s'\npoisson = true\n").load()
    assert one.stages == listed.stages == "30s:5u, 1m:5u"
    assert one.rhythm == ThinkTime(least_ns=1_000_000_000, most_ns=3_000_000_000)
    assert listed.rhythm == Pacing(every_ns=2_000_000_000)
    assert (one.poisson, listed.poisson) == (False, True)


def test_a_suppression_holds_to_the_end_of_its_last_day(read: Read) -> None:
    settings = read(EXAMPLE, EXAMPLE_ENVIRON)
    (suppression,) = settings.suppressions()
    assert suppression.check in {check.name for check in all_checks()}
    assert not suppression.expired_on(date(2027, 6, 30))
    assert suppression.expired_on(date(2027, 7, 1))


@pytest.mark.parametrize(
    ("operation", "covered"),
    [("", True), ("GET /users", True), ("GET /*", True), ("POST /users", False)],
)
def test_a_suppression_covers_its_check_on_its_operations(
    read: Read, operation: str, covered: bool
) -> None:
    place = f", operation = '{operation}'" if operation else ""
    text = f"[security]\nsuppress = [{{ check = 'a', reason = 'b'{place} }}]"
    (suppression,) = read(text).suppressions()
    finding = _finding("a", "GET /users")
    assert suppression.covers(finding) is covered
    assert not suppression.covers(_finding("other", "GET /users"))


def test_a_suppression_may_name_one_finding(read: Read) -> None:
    text = "[security]\nsuppress = [{ fingerprint = '265f05b5da9b2a30', reason = 'b' }]"
    (suppression,) = read(text).suppressions()
    assert (suppression.check, suppression.fingerprint) == (None, "265f05b5da9b2a30")


def test_a_baseline_file_lies_beside_the_configuration_and_need_not_be_there(
    read: Read,
) -> None:
    file = read("[security]\nbaseline = 'known/b.json'").baseline_file
    assert file is not None
    assert file.is_absolute()
    assert file.parts[-2:] == ("known", "b.json")
    assert read("").baseline_file is None


def test_a_suppression_of_one_operation_leaves_a_finding_on_more_than_that(read: Read) -> None:
    text = "[security]\nsuppress = [{ check = 'a', reason = 'b', operation = 'GET /users' }]"
    (suppression,) = read(text).suppressions()
    assert not suppression.covers(_finding("a", "GET /users", "GET /orders"))


def _finding(check: str, *operations: str) -> Finding:
    return Finding(
        check=check,
        title="t",
        severity=Severity.LOW,
        confidence=Confidence.FIRM,
        operations=operations,
        detail="d",
        remedy="r",
        evidence=(),
    )


def test_the_way_to_the_target_is_that_of_the_settings_else_of_the_environment(
    read: Read, tmp_path: Path
) -> None:
    away = '[target]\nbase_url = "http://api.example"\nallow = ["api.example"]\n'
    variables = {"http_proxy": "http://ann:s3cret@env.example:1"}

    def proxy(text: str, environ: dict[str, str]) -> str | None:
        found = read(text, environ).target().proxy
        return None if found is None else str(found)

    assert proxy(away, {}) is None
    assert proxy(away, variables) == "http://***@env.example:1"
    assert proxy(away, {**variables, "no_proxy": "example"}) is None
    assert proxy(TARGET, variables) is None  # this machine
    assert proxy(f'{away}proxy = "own.example:2"', variables) == "http://own.example:2"
    assert proxy(f'{TARGET}proxy = "own.example:2"', variables) == "http://own.example:2"
    assert proxy(f'{away}proxy = "none"', variables) is None
    assert "s3cret" not in repr(read(away, variables))


def test_a_key_needs_its_certificate_and_both_their_files(read: Read) -> None:
    for lines, said in (
        ('key = "nowhere.pem"', "target.key: has no certificate; give cert as well"),
        ('cert = "nowhere.pem"', "target.cert: there is no file"),
    ):
        with pytest.raises(ConfigurationError) as caught:
            read(TARGET + lines, {})
        (problem,) = caught.value.problems
        assert problem.startswith(said)


def test_defaults_of_a_load_are_read(read: Read) -> None:
    load = read(
        '[load]\nkeep_alive = false\nfollow_redirects = true\nweights."GET /a" = 3\n', {}
    ).load()
    assert (load.keep_alive, load.follow_redirects, load.weights) == (False, True, {"GET /a": 3.0})
    usual = read(TARGET, {})
    assert (usual.load().keep_alive, usual.load().follow_redirects) == (True, False)
    assert usual.connect_timeout_s == 5.0


def test_a_history_is_looked_for_beside_the_file_that_names_it_or_where_the_flag_was_given(
    repository: Path,
) -> None:
    (repository / "withstand.toml").write_text('[history]\nfile = ".withstand/h.sqlite"\n')
    here = repository / "deep"
    here.mkdir()
    flag = {"history.file": "own.sqlite"}
    assert load_settings(start=here, environ={}).history_file == repository / ".withstand/h.sqlite"
    assert load_settings(start=here, environ={}, overrides=flag).history_file == here / "own.sqlite"


def test_how_much_of_a_history_is_kept_is_read_and_is_all_by_default(read: Read) -> None:
    assert read("[history]\nkeep = '2 days, 9 runs'\n").retention() == Retention(
        age_s=172_800.0, runs=9
    )
    assert not read(TARGET).retention().limits
    assert read(TARGET).history_file is None
