"""The fixture `latency`: a call is repeated, and the test goes on with what was found of it."""

import re

import pytest

from .conftest import LoginApi, RunProject, write_configuration


def test_the_objectives_of_the_marker_are_held_against_the_call_and_the_test_runs_once(
    run: RunProject, project: pytest.Pytester, login_api: LoginApi
) -> None:
    write_configuration(project, login_api.configuration())
    project.makepyfile(
        """
        import pytest
        runs = []

        @pytest.mark.performance(p95="10min", p50="5min", max_error_rate="10%")
        def test_fast(latency, api_client):
            runs.append(1)
            found = latency(lambda: api_client.get("/whoami"))
            assert found.result.status_code == 200
            assert found.verdict == "met"
            assert 90 <= found.calls < 1000
            low, high = found.intervals_ms["p95"]
            assert 0 < low <= found.quantiles_ms["p95"] <= high
            assert found.quantiles_ms["p50"] <= found.quantiles_ms["p99"]
            assert found.seconds > 0
            assert str(found).startswith("met: p50<") or "met: p95<600s" in str(found)

        def test_once(): assert runs == [1]
        """
    )

    result = run()

    result.assert_outcomes(passed=2)
    assert len(login_api.authorizations) >= 100
    result.stdout.fnmatch_lines_random(
        [
            "met: *::test_fast: p95<600s: p95 in *; * (* calls in *s)",
            "met: *::test_fast: p50<300s: p50 *; * (* calls in *s)",
            "met: *::test_fast: errors<10%: errors at most * %; 0 of * calls failed; * calls in *",
        ]
    )


def test_the_time_is_that_of_the_requests_of_the_call(
    run: RunProject, project: pytest.Pytester
) -> None:
    project.makepyfile(
        """
        from withstand.pytest_plugin.run_record import RUN

        def test_slow(latency, pytestconfig):
            note = pytestconfig.stash[RUN].note_request
            note(1)  # outside of the call: nobody measures
            found = latency(lambda: note(360_000_000_000), p95="10min")
            assert found.quantiles_ms["p95"] == 360_000
        """
    )

    run().assert_outcomes(passed=1)


def test_a_breach_fails_the_test_at_the_call(run: RunProject, project: pytest.Pytester) -> None:
    project.makepyfile(
        """
        after = []

        def test_slow(latency):
            latency(lambda: sum(range(100)), p95="1ns")
            after.append(1)

        def test_went_no_further(): assert not after
        """
    )

    result = run()

    result.assert_outcomes(failed=1, passed=1)
    result.stdout.fnmatch_lines(["breached: p95<1ns: p95 *; 40 of 40, and then 40 of 40 calls *"])
    assert "Traceback" not in result.stdout.str()


def test_inconclusive_warns_and_the_test_goes_on(run: RunProject, project: pytest.Pytester) -> None:
    project.makepyfile(
        """
        def test_unclear(latency):
            found = latency(lambda: "a", p95="10min")
            assert (found.verdict, found.calls, found.result) == ("inconclusive", 0, "a")
        """
    )

    result = run("--withstand-budget=0ms", "-W", "default")

    result.assert_outcomes(passed=1, warnings=1)
    result.stdout.fnmatch_lines(
        ["*InconclusiveWarning: inconclusive: p95<600s: *", "*give it longer than *"]
    )
    result.stdout.fnmatch_lines(["inconclusive: *::test_unclear: p95<600s: p95 unknown; *"])

    strict = run("--withstand-budget=0ms", "--withstand-strict")

    strict.assert_outcomes(failed=1)


def test_every_call_of_latency_is_listed_and_has_properties(
    run: RunProject, project: pytest.Pytester
) -> None:
    project.makepyfile(
        """
        import pytest

        @pytest.mark.performance(p95="10min")
        def test_two(latency):
            assert latency(lambda: "a").result == "a"
            assert latency(lambda: "b", p95="20min").result == "b"
        """
    )

    result = run("--junitxml=results.xml")

    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(
        [
            "met: *::test_two: latency 1: p95<600s: *",
            "met: *::test_two: latency 2: p95<1200s: *",
        ]
    )
    text = (project.path / "results.xml").read_text()
    for name in ("verdict", "calls", "p95_ms", "p95_high_ms"):
        assert f'<property name="withstand.{name}"' in text
        assert f'<property name="withstand.2.{name}"' in text


def test_failures_are_raised_as_they_are_unless_a_share_of_them_is_tolerated(
    run: RunProject, project: pytest.Pytester
) -> None:
    project.makepyfile(
        """
        import itertools
        import pytest

        def sometimes(every):
            number = itertools.count()
            def call():
                assert next(number) % every, "not this time"
                return "fine"
            return call

        def test_raised(latency):
            with pytest.raises(AssertionError, match="not this time"):
                latency(sometimes(1), p95="10min")
            with pytest.raises(AssertionError, match="not this time"):
                latency(sometimes(1), p95="10min", max_error_rate=0)

        def test_tolerated(latency):
            found = latency(sometimes(40), max_error_rate="20%")
            assert (found.verdict, found.result) == ("met", "fine")

        def test_too_many(latency):
            latency(sometimes(2), max_error_rate="20%")
        """
    )

    result = run()

    result.assert_outcomes(passed=2, failed=1)
    result.stdout.fnmatch_lines(["breached: errors<20%: errors in *-* %; *", "the last failure: *"])


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ("p_95=200", r"latency knows no 'p_95'; it accepts p50, .*max_error_rate"),
        ("p95=0", r"latency\(p95=0\) must be more than 0 ms and finite"),
        ("p95='fast'", r"latency\(p95=…\): 'fast' is no duration"),
        ("max_error_rate=1", r"latency\(max_error_rate=1\) must be a share from 0 to below 1"),
        ("", r"latency has no objective to decide"),
    ],
)
def test_a_bad_keyword_is_refused_as_in_the_marker(
    run: RunProject, project: pytest.Pytester, arguments: str, words: str
) -> None:
    project.makepyfile(f"def test_slow(latency): latency(lambda: None, {arguments})\n")

    result = run()

    result.assert_outcomes(failed=1)
    assert re.search(words, result.stdout.str())
    result.stdout.fnmatch_lines(["  → write it as latency(call, p95=*"])
    assert "Traceback" not in result.stdout.str()


def test_objectives_that_no_call_was_held_against_fail_the_test(
    run: RunProject, project: pytest.Pytester
) -> None:
    project.makepyfile(
        """
        import pytest

        @pytest.mark.performance(p95="200ms")
        def test_forgotten(latency): pass
        """
    )

    result = run()

    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*(p95<200ms) were held against nothing*"])


def test_a_call_is_not_measured_inside_another_and_nothing_awaitable_is(
    run: RunProject, project: pytest.Pytester
) -> None:
    project.makepyfile(
        """
        import pytest

        async def answer(): pass

        def test_nested(latency):
            latency(lambda: latency(lambda: None, p95="1s"), p95="1s")

        @pytest.mark.performance(p95="1s", max_error_rate="50%")
        def test_hidden(request):
            request.getfixturevalue("latency")(lambda: None)

        def test_awaitable(latency):
            latency(answer, p95="1s", max_error_rate="50%")
        """
    )

    result = run("-W", "error")

    result.assert_outcomes(failed=3)
    result.stdout.fnmatch_lines(
        ["a call cannot be measured inside a call *", "*this one returned something to await*"]
    )


def test_a_test_may_be_async_or_reach_latency_through_another_fixture(
    run: RunProject, project: pytest.Pytester
) -> None:
    project.makepyfile(
        """
        import pytest

        @pytest.mark.asyncio
        @pytest.mark.performance(p50="10min")
        async def test_async(latency): assert latency(lambda: 2).result == 2

        @pytest.fixture
        def quick(latency):
            return lambda call: latency(call, p95="10min")

        @pytest.mark.performance(p50="10min")
        def test_through(quick): assert quick(lambda: 1).result == 1
        """
    )

    scope = "asyncio_default_fixture_loop_scope=function"
    result = run("-p", "pytest_asyncio.plugin", "-o", scope)

    result.assert_outcomes(passed=2)
    result.stdout.fnmatch_lines_random(
        [
            "met: *::test_async: p50<600s: *",
            "met: *::test_through: p50<600s: *",
            "met: *::test_through: p95<600s: *",
        ]
    )
