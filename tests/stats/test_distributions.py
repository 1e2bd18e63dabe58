"""The distributions against published tables and closed forms."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from withstand.stats.distributions import (
    beta_quantile,
    binomial_cdf,
    incomplete_beta,
    student_t_cdf,
    student_t_quantile,
)

# NIST/SEMATECH e-Handbook of Statistical Methods, 1.3.6.7.2, upper critical values of Student's t.
T_TABLE = [
    (1, 0.90, 3.078), (1, 0.975, 12.706), (1, 0.99, 31.821),
    (2, 0.90, 1.886), (2, 0.95, 2.920), (2, 0.99, 6.965),
    (5, 0.95, 2.015), (5, 0.975, 2.571), (5, 0.999, 5.893),
    (10, 0.90, 1.372), (10, 0.975, 2.228), (10, 0.99, 2.764),
    (30, 0.95, 1.697), (30, 0.99, 2.457), (100, 0.975, 1.984), (100, 0.999, 3.174),
]  # fmt: skip


@pytest.mark.parametrize(("df", "probability", "value"), T_TABLE)
def test_t_quantiles_agree_with_the_published_table(
    df: int, probability: float, value: float
) -> None:
    assert student_t_quantile(probability, df) == pytest.approx(value, abs=0.0015)
    assert student_t_quantile(1 - probability, df) == pytest.approx(-value, abs=0.0015)


@given(st.floats(0.001, 0.999))
def test_t_with_one_or_two_degrees_has_its_closed_form(probability: float) -> None:
    one = math.tan(math.pi * (probability - 0.5))
    two = (2 * probability - 1) / math.sqrt(2 * probability * (1 - probability))
    assert student_t_quantile(probability, 1) == pytest.approx(one, rel=1e-9, abs=1e-9)
    assert student_t_quantile(probability, 2) == pytest.approx(two, rel=1e-9, abs=1e-9)


@given(st.floats(0.0005, 0.9995), st.floats(0.5, 500))
def test_the_t_quantile_inverts_its_distribution_function(probability: float, df: float) -> None:
    assert student_t_cdf(student_t_quantile(probability, df), df) == pytest.approx(
        probability, rel=1e-9
    )


def test_t_approaches_the_normal_distribution() -> None:
    assert student_t_quantile(0.98, 1e7) == pytest.approx(2.0537489, abs=1e-6)


@given(st.integers(1, 40), st.integers(0, 40), st.floats(0.01, 0.99))
def test_the_binomial_tail_equals_the_sum_of_its_terms(n: int, k: int, p: float) -> None:
    terms = (math.comb(n, i) * p**i * (1 - p) ** (n - i) for i in range(min(k, n) + 1))
    assert binomial_cdf(k, n, p) == pytest.approx(math.fsum(terms), rel=1e-9, abs=1e-12)


def test_the_beta_function_meets_its_closed_forms_and_its_symmetry() -> None:
    assert incomplete_beta(1, 1, 0.3) == pytest.approx(0.3)
    assert incomplete_beta(2.5, 1, 0.3) == pytest.approx(0.3**2.5)
    assert incomplete_beta(4, 9, 0.2) == pytest.approx(1 - incomplete_beta(9, 4, 0.8))
    assert beta_quantile(0.25, 1, 1) == pytest.approx(0.25)


@pytest.mark.parametrize("probability", [0.0, 1.0, -1.0])
def test_there_is_no_t_quantile_at_certainty(probability: float) -> None:
    with pytest.raises(ValueError, match="no t quantile"):
        student_t_quantile(probability, 3)
