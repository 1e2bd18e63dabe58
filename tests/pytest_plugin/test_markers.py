"""The markers, and the refusal of arguments that would never measure anything."""

import re

import pytest

from .conftest import RunProject


def test_both_markers_are_registered_for_strict_markers(
    run: RunProject, project: pytest.Pytester
) -> None:
    project.makepyfile(
        """
        import pytest

        @pytest.mark.performance
        def test_fast(): pass

        @pytest.mark.security
        class TestSafe:
            def test_closed(self): pass
        """
    )

    run().assert_outcomes(passed=2)
    run("-m", "security").assert_outcomes(passed=1, deselected=1)


_BAD = [
    ("p_95=200", r"performance knows no 'p_95'; it accepts p50, .*max_error_rate"),
    ("p100=200", r"performance knows no 'p100'"),
    ("p0=200", r"performance knows no 'p0'"),
    ("p9999=200", r"performance has p9999, which takes far more calls .* p999 \(99.9 %\)"),
    ("p95=0", r"performance\(p95=0\) must be more than 0 ms"),
    ("p95=-5", r"must be more than 0 ms"),
    ("p95=float('inf')", r"must be more than 0 ms and finite"),
    ("p95=10**400", r"must be more than 0 ms and finite"),
    ("max_error_rate=10**400", r"must be a share from 0 to below 1"),
    ("p95=float('nan')", r"must be more than 0 ms and finite"),
    ("p95=True", r"performance\(p95=True\) is no number of milliseconds"),
    ("p95=None", r"performance\(p95=None\) is no number of milliseconds"),
    ("p95='fast'", r"performance\(p95=…\): 'fast' is no duration"),
    ("p95_ms='200ms'", r"is no number of milliseconds"),
    ("p95=200, p95_ms=200", r"performance has p95 twice, as p95 and as p95_ms"),
    ("max_error_rate=1", r"max_error_rate=1\) must be a share from 0 to below 1"),
    ("max_error_rate=-0.1", r"must be a share from 0 to below 1"),
    ("max_error_rate='some'", r"must be a share from 0 to below 1"),
    ("200", r"performance takes keywords, not 200"),
]


def test_every_bad_argument_is_an_error_at_collection_with_an_example(
    run: RunProject, project: pytest.Pytester
) -> None:
    tests = [
        f"@pytest.mark.performance({arguments})\ndef test_{number}(): pass\n"
        for number, (arguments, _) in enumerate(_BAD)
    ]
    project.makepyfile("import pytest\n" + "\n".join(tests))

    result = run()

    assert result.ret == pytest.ExitCode.INTERRUPTED
    for number, (arguments, words) in enumerate(_BAD):
        # The first time: where CI is set, pytest's summary repeats every line.
        line = next(at for at, said in enumerate(result.outlines) if f"::test_{number}: " in said)
        assert re.search(words, result.outlines[line]), arguments
        assert f"::test_{number}: performance" in result.outlines[line]
        assert result.outlines[line + 1].startswith("  → "), arguments
    assert "Traceback" not in result.stdout.str()


def test_a_bad_argument_on_a_class_a_module_or_a_parameter_is_an_error_too(
    run: RunProject, project: pytest.Pytester
) -> None:
    bad = "pytest.mark.performance(p_95=200)"
    project.makepyfile(
        test_class=f"import pytest\n@{bad}\nclass TestSlow:\n    def test_one(self): pass\n",
        test_module=f"import pytest\npytestmark = {bad}\ndef test_one(): pass\n",
        test_parameter="import pytest\n@pytest.mark.parametrize('n', [1, "
        f"pytest.param(2, marks={bad})])\ndef test_one(n): pass\n",
    )

    result = run()

    result.assert_outcomes(errors=3)


def test_a_bad_argument_is_an_error_under_xdist_too(
    run_parallel: RunProject, project: pytest.Pytester
) -> None:
    project.makepyfile("import pytest\n@pytest.mark.performance(p_95=1)\ndef test_one(): pass\n")

    result = run_parallel("-n1")

    assert result.ret != 0
    result.stdout.fnmatch_lines(["*performance knows no 'p_95'*"])
    assert "INTERNALERROR" not in result.stdout.str()
