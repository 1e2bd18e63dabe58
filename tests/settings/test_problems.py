"""Everything that is wrong is said at once, each with its path and what would be right."""

import pytest

from withstand.errors import ConfigurationError

from .conftest import EXAMPLE, EXAMPLE_ENVIRON, Complain, Read

LOGIN = "[login]\nrequest = 'POST /login'\njson = { user = '{name}', code = '{code}' }\n"


def test_all_problems_of_all_tables_come_at_once(complain: Complain) -> None:
    problems = complain(
        """
        speling = 1
        [target]
        base_url = "ftp://x"
        bas_url = "http://x"
        timeout = "soon"
        [login]
        request = "auth/token"
        json = { email = "{email}" }
        [access]
        publik = ["GET /health"]
        [slo]
        "get /users" = ["p95<200ms"]
        [security]
        fail_on = "medum"
        [load]
        users = "many"
        """
    )
    assert [problem.split(":")[0] for problem in problems] == [
        "speling",
        "target.timeout",
        "target.bas_url",
        "login.request",
        "access.publik",
        'slo."get /users"',
        "security.fail_on",
        "load.users",
    ]


def test_the_error_names_the_file(read: Read) -> None:
    with pytest.raises(ConfigurationError, match=r"withstand\.toml has 1 problem:") as caught:
        read("[target]\nverify = 'no'\n")
    assert caught.value.source == "withstand.toml"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("[targt]", "targt: is no key; did you mean 'target'?"),
        (
            "[values]\n'POST /orders' = 3",
            'values."POST /orders": expected a table of inputs like { sku = "SKU-001" }, got 3',
        ),
        ("target = 1", "target: expected a table, got the number 1"),
        ("identities = []", "identities: expected a table, got a list"),
        ("[identities]\na = 'x'", "identities.a: expected a table, got the text 'x'"),
        (
            "[target]\nverify = 'no'",
            "target.verify: expected true or false, got the text 'no'",
        ),
        ("[target]\nbase_url = 5", "target.base_url: expected text, got the number 5"),
        ("[target]\nallow = 'x'", "target.allow: expected a list, got the text 'x'"),
        ("[target]\nallow = [1]", "target.allow[0]: expected text, got the number 1"),
        (
            "[target]\ntimeout = '0s'",
            "target.timeout: is no time at all; give more than zero",
        ),
        (
            "[target]\ntimeout = true",
            "target.timeout: expected text like '30s', got true",
        ),
        (
            "[target]\nbase_url = 'localhost:8000'",
            "target.base_url: the base URL 'localhost:8000' is no http or https address; "
            'write it as base_url = "https://api.staging.example.com"',
        ),
        (
            "[target]\nplain_url = 'https://localhost'",
            "target.plain_url: 'https://localhost' is not plain HTTP; it starts http://",
        ),
        (
            "[history]\nkeep = 'a while'",
            "history.keep: 'a while' does not say how much to keep; write it as 90 days, "
            "500 runs, or 90 days, 500 runs",
        ),
        ("[history]\nkeep = 90", "history.keep: expected text, got the number 90"),
        ("[load]\nusers = true", "load.users: expected a whole number, got true"),
        (
            "[load]\nusers = 5\nrate = '5/s'",
            "load: has both users (closed model) and rate (open model); keep one",
        ),
        (
            "[load]\nusers = 5\nrate = '5/s'\nstages = '9s:5u'",
            "load: has users (closed model) and rate (open model) and stages; keep one",
        ),
        (
            "[load]\nstages = '9s:5u'\nrun_time = '9s'",
            "load.run_time: is the sum of the stages' durations; leave it out",
        ),
        (
            "[load]\npacing = '1s'\nthink_time = '1s'",
            "load: has both think_time and pacing; keep one",
        ),
        (
            "[load]\nstages = ['30s:200']",
            "load.stages: the stage '30s:200' has no level with its unit; write durations and "
            "levels, such as 30s:200/s,1m:200/s,10s:0/s for a rate, or 30s:50u,1m:50u,10s:0u for "
            "users; a level alone jumps there",
        ),
        (
            "[load]\nthink_time = '3s..1s'",
            "load.think_time: the think time runs from 3.00 s to 1.00 s; give the shorter time "
            "first, such as 1s..3s",
        ),
        ("[load]\nusers = 0", "load.users: expected at least 1, got 0"),
        (
            "[load]\nrate = 'fast'",
            "load.rate: 'fast' is no rate; write it as 200/s, 0.5/s or 100/m, above zero",
        ),
        (
            "[security]\nfail_on = 'hihg'",
            "security.fail_on: expected one of info, low, medium, high, critical, got 'hihg'; "
            "did you mean 'high'?",
        ),
        (
            "[security]\nlimits = { 'POST /login' = 'ten' }",
            "security.limits.\"POST /login\": expected a limit like '10 failures', "
            "got the text 'ten'",
        ),
        (
            "[security]\nsuppress = [{ check = 'a', reason = 'b', expires = 'later' }]",
            "security.suppress[0].expires: expected a day like 2027-06-30, got the text 'later'",
        ),
        ("[security]\nsuppress = [{ check = 'a' }]", "security.suppress[0].reason: is missing"),
        (
            "[security.races]\n'POST /redeem' = {}",
            'security.races."POST /redeem": says nothing that must hold; add at_most = 1, '
            "or read and value",
        ),
        (
            "[security.races]\n'POST /pay' = { read = 'GET /wallet', least = 0 }",
            'security.races."POST /pay": has only a part of what is read; give all: '
            'read = "GET /wallet", value = "$.balance", least = 0',
        ),
        (
            "[security.races]\n'POST /pay' = { read = 'GET /wallet', value = '$.balance' }",
            'security.races."POST /pay": reads a number that may be any; add least or most',
        ),
        (
            "[security.races]\n'POST /pay' = { at_most = 1, identity = 'alcie' }\n"
            "[identities]\nalice = { role = 'user', token = 'x' }",
            "security.races.\"POST /pay\".identity: there is no identity 'alcie'; "
            "did you mean 'alice'?",
        ),
        (
            "[security.races]\n'POST /pay' = { at_most = 1, least = 'none' }",
            "security.races.\"POST /pay\".least: expected a number, got the text 'none'",
        ),
        (
            "[security]\nprivate = ['orders']",
            "security.private[0]: 'orders' is no path; write it as '/orders/*' or "
            "'GET /orders/{id}'",
        ),
        (
            "[access]\n'DELTE /x' = ['admin']",
            "access.\"DELTE /x\": 'DELTE /x' is no operation; did you mean 'DELETE'?",
        ),
        (
            "[access]\nnever = ['POST shutdown']",
            "access.never[0]: 'POST shutdown' is no operation; write it as 'GET /orders/{id}'",
        ),
        (
            "[slo]\n'get /x' = []",
            "slo.\"get /x\": 'get /x' is no operation; write the method in capitals: GET …",
        ),
        ("[slo]\n'*' = [1]", 'slo."*": expected text, got the number 1'),
        ("[login]\njson = { a = 'b' }", "login.request: is missing"),
        (
            "[login]\nrequest = 'POST auth'\njson = {}",
            "login.request: 'POST auth' is no request; write it as 'POST /auth/token'",
        ),
        (
            LOGIN + "form = { a = 'b' }",
            "login: has both json and form; keep one",
        ),
        (
            "[login]\nrequest = 'POST /login'",
            'login: has no body; add json = { email = "{email}", password = "{password}" } '
            "or form = { … }",
        ),
        (
            LOGIN + "send_as = 'Authorization Bearer'",
            "login.send_as: 'Authorization Bearer' is no header line; write it as "
            "'Authorization: Bearer {token}'",
        ),
        (
            LOGIN + "token = 'access'",
            "login.token: 'access' is no JSON path; write it as '$.access_token', "
            "'header X-Auth-Token' or 'cookies'",
        ),
        (
            LOGIN + "short_lived = { until = 2027-01-01 }",
            "login.short_lived: the date 2027-01-01 cannot be sent; write it as text",
        ),
        (
            "[identities]\na = { token = 't' }",
            "identities.a.role: is missing",
        ),
        (
            "[identities]\na = { role = 'user', token = '' }",
            "identities.a.token: is empty",
        ),
        (
            "[identities]\na = { role = 'user', token = 't', header = 'X Key' }",
            "identities.a.header: 'X Key' is no header line; write it as "
            "'Authorization: Bearer {token}'",
        ),
        (
            "[identities]\na = { role = 'user', name = 'a' }",
            "identities.a: cannot log in; add a [login], or give it a token",
        ),
        (
            LOGIN + "[identities]\na = { role = 'user', name = 'a', cod = '1' }",
            "identities.a.code: is missing: the login asks for {code}; did you mean 'cod'?",
        ),
        (
            "[identities]\na = { role = 'admin', token = 't' }\n[access]\n'GET /x' = ['admn']",
            "access.\"GET /x\"[0]: no identity has the role 'admn'; did you mean 'admin'?",
        ),
    ],
)
def test_a_mistake_is_named_with_its_path_and_the_remedy(
    complain: Complain, text: str, problem: str
) -> None:
    assert complain(text) == (problem,)


def test_an_objective_that_cannot_be_read_is_a_problem(complain: Complain) -> None:
    (problem,) = complain("[slo]\n'GET /x' = ['p95<200ms', 'p95 fast']\n")
    assert problem.startswith("slo.\"GET /x\"[1]: 'p95 fast': ")
    assert "p95<200ms" in problem
    assert "\n" not in problem


def test_a_document_file_that_is_not_there_is_a_problem(complain: Complain) -> None:
    (problem,) = complain("[target]\nopenapi = 'api.yaml'\n")
    assert problem.startswith("target.openapi: there is no file ")
    assert problem.endswith("api.yaml; a path on the target starts with '/'")


def test_the_example_configuration_has_no_problem(read: Read) -> None:
    assert read(EXAMPLE, EXAMPLE_ENVIRON).source == "withstand.toml"


def test_without_its_variables_the_example_names_each_of_them(complain: Complain) -> None:
    assert [problem.split(":")[0] for problem in complain(EXAMPLE)] == [
        "target.base_url",
        "identities.alice.password",
        "identities.bob.password",
        "identities.root.password",
    ]


def test_a_suppression_must_say_what_it_means(complain: Complain) -> None:
    problems = complain(
        """
        [security]
        suppress = [
            { reason = "why not" },
            { reason = "typo", fingerprint = "265F05" },
        ]
        """
    )
    assert any("expected the 16 hex digits of a finding, got '265F05'" in each for each in problems)
    problems = complain("[security]\nsuppress = [{ reason = 'why not' }]")
    assert problems == (
        "security.suppress[0]: says of no finding that it is accepted; give check or fingerprint",
    )
