"""Kupiec's test, the exact binomial and the Basel zones against the literature and scipy."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from chandlery.errors import InvalidInput
from chandlery.risk.exceptions import basel_zone, count_exceptions, exact_p, kupiec_pof

# Kupiec (1995), table 3, as in Jorion, Value at Risk: first count too high at 5 % for 255, 510, 1,000 days.
TOO_HIGH = {
    0.01: (7, 11, 17),
    0.025: (12, 21, 36),
    0.05: (21, 36, 65),
    0.075: (28, 51, 92),
    0.10: (36, 65, 120),
}
# And the last count too low; None where the table has none.
TOO_LOW = {0.01: (None, 1, 4), 0.025: (2, 6, 15), 0.05: (6, 16, 37), 0.075: (11, 27, 59), 0.10: (16, 38, 81)}


@pytest.mark.parametrize("tail", list(TOO_HIGH))
def test_rejection_regions_are_those_of_kupiecs_table(tail: float) -> None:
    for days, high, low in zip((255, 510, 1000), TOO_HIGH[tail], TOO_LOW[tail], strict=True):
        assert kupiec_pof(high, n=days, tail=tail) > 3.841
        assert kupiec_pof(high - 1, n=days, tail=tail) < 3.841
        if low is not None:
            assert kupiec_pof(low, n=days, tail=tail) > 3.841
            assert kupiec_pof(low + 1, n=days, tail=tail) < 3.841


def test_twenty_exceptions_in_252_days_at_95_give_the_published_ratio() -> None:
    # Jorion on a bank's 1998 annual report: LR = 3.91, rejected at 3.84.
    assert kupiec_pof(20, n=252, tail=0.05) == pytest.approx(3.91, abs=0.005)


def test_no_exception_uses_zero_log_zero() -> None:
    assert kupiec_pof(0, n=250, tail=0.01) == pytest.approx(-2 * 250 * np.log(0.99), rel=1e-12)
    assert kupiec_pof(250, n=250, tail=0.01) == pytest.approx(-2 * 250 * np.log(0.01), rel=1e-12)


def test_basel_zones_at_250_days_and_99_are_0_to_4_5_to_9_and_10_up() -> None:
    zones = [basel_zone(count, n=250, tail=0.01) for count in range(13)]
    assert zones == ["green"] * 5 + ["yellow"] * 5 + ["red"] * 3


@given(st.integers(1, 1200), st.floats(0.001, 0.4), st.data())
@settings(max_examples=80, deadline=None)
def test_exact_p_and_chi_squared_p_agree_with_scipy(days: int, tail: float, data: st.DataObject) -> None:
    count = data.draw(st.integers(0, days))
    test = count_exceptions(count, n=days, tail=tail)
    assert test.p_exact == pytest.approx(stats.binomtest(count, days, tail).pvalue, rel=1e-6, abs=1e-200)
    assert test.p_chi2 == pytest.approx(stats.chi2.sf(test.lr, 1), rel=1e-9, abs=1e-200)
    assert test.expected == days * tail


def test_the_chi_squared_test_rejects_nearly_one_in_ten_right_models_at_250_days() -> None:
    mass = stats.binom.pmf(np.arange(251), 250, 0.01)
    chi2 = [stats.chi2.sf(kupiec_pof(count, n=250, tail=0.01), 1) < 0.05 for count in range(251)]
    exact = [exact_p(count, n=250, tail=0.01) < 0.05 for count in range(251)]
    assert float(mass[chi2].sum()) == pytest.approx(0.095, abs=0.001)
    assert float(mass[exact].sum()) <= 0.05


@pytest.mark.parametrize(("count", "days", "tail"), [(-1, 250, 0.01), (251, 250, 0.01), (0, 0, 0.01), (1, 250, 0.0)])
def test_counts_that_cannot_be_are_refused(count: int, days: int, tail: float) -> None:
    with pytest.raises(InvalidInput):
        count_exceptions(count, n=days, tail=tail)
