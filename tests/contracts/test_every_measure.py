"""What every registered measure of a return series has to keep."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from chandlery.errors import InvalidInput
from chandlery.measures import MEASURES, Measure, Measured, Status, measure_all

EVERY = pytest.mark.parametrize("measure", MEASURES.values(), ids=list(MEASURES))
PATH_DEPENDENT = {"dd_now", "dd_max", "dd_days_max", "ulcer", "calmar", "autocorr_1"}
SCALES_BY = {
    "mean_ann": 1,
    "vol": 1,
    "downside_dev": 1,
    "best": 1,
    "worst": 1,
    "sharpe": 0,
    "sortino": 0,
    "skew": 0,
    "kurtosis": 0,
    "hit_rate": 0,
    "autocorr_1": 0,
}
returns_of_any_kind = hnp.arrays(
    np.float64,
    st.integers(0, 130),
    elements=st.one_of(
        st.floats(-0.9, 2.0), st.sampled_from([0.0, -1.0, -1.5, math.nan, math.inf, -math.inf, 1e300, 5e-324])
    ),
)
sane_returns = hnp.arrays(np.float64, st.integers(60, 120), elements=st.floats(-0.2, 0.2, allow_subnormal=False))


def _flat(value: float) -> np.ndarray:
    return np.full(300, value)


@EVERY
def test_an_empty_series_is_insufficient(measure: Measure) -> None:
    assert measure(np.empty(0), periods_per_year=252) == Measured(None, Status.INSUFFICIENT, 0)


@EVERY
def test_one_return_under_the_minimum_is_insufficient_and_the_minimum_is_not(measure: Measure) -> None:
    series = np.resize([0.01, -0.02, 0.005], measure.minimum)
    assert measure(series[1:], periods_per_year=252).status == Status.INSUFFICIENT
    assert measure(series, periods_per_year=252).status == Status.OK


@EVERY
def test_a_gap_is_missing_input_and_counts_only_what_is_there(measure: Measure) -> None:
    series = np.resize([0.01, -0.02, 0.005], 300)
    series[7] = math.nan
    assert measure(series, periods_per_year=252) == Measured(None, Status.MISSING_INPUT, 299)


@EVERY
def test_a_table_of_series_is_refused(measure: Measure) -> None:
    with pytest.raises(InvalidInput, match="shape"):
        measure(np.zeros((3, 3)), periods_per_year=252)


@EVERY
def test_the_input_is_left_as_it_was(measure: Measure) -> None:
    series = np.resize([0.01, -0.02, 0.005], 300)
    before = series.copy()
    measure(series, periods_per_year=252, risk_free=0.0001, mar=0.0002)
    np.testing.assert_array_equal(series, before)


@EVERY
@pytest.mark.parametrize("value", [0.0, 0.001, 0.1])
def test_a_flat_series_never_gives_a_ratio_or_a_dispersion(measure: Measure, value: float) -> None:
    answer = measure(_flat(value), periods_per_year=252)
    if measure.group == "dispersion" or measure.measure_id in {"sharpe", "sortino", "calmar"}:
        assert answer.status in {Status.ZERO_VARIANCE, Status.NO_LOSS}
        assert answer.value is None


def test_measure_ids_are_the_words_of_the_design() -> None:
    assert set(MEASURES) == {
        *("cum", "cagr", "mean_ann", "best", "worst", "hit_rate"),
        *("vol", "downside_dev", "skew", "kurtosis", "autocorr_1"),
        *("dd_now", "dd_max", "dd_days_max", "ulcer"),
        *("sharpe", "sortino", "calmar"),
    }


@given(returns_of_any_kind)
@settings(max_examples=150, deadline=None)
def test_no_series_ever_yields_a_nan_an_infinity_or_a_value_without_ok(series: np.ndarray) -> None:
    for answer in measure_all(series, periods_per_year=252).values():
        assert (answer.value is None) == (answer.status != Status.OK)
        assert answer.value is None or math.isfinite(answer.value)


@given(sane_returns, st.floats(0.1, 4.0))
@settings(max_examples=60, deadline=None)
def test_scaling_returns_scales_each_measure_by_its_degree(series: np.ndarray, factor: float) -> None:
    for name, degree in SCALES_BY.items():
        plain = MEASURES[name](series, periods_per_year=252)
        scaled = MEASURES[name](series * factor, periods_per_year=252)
        assert plain.status == scaled.status
        if plain.value is not None:
            assert scaled.value == pytest.approx(plain.value * factor**degree, rel=1e-6, abs=1e-9)


@given(sane_returns, st.randoms(use_true_random=False))
@settings(max_examples=60, deadline=None)
def test_the_order_of_days_matters_only_where_the_path_does(series: np.ndarray, random: object) -> None:
    shuffled = series.copy()
    random.shuffle(shuffled)
    for name in set(MEASURES) - PATH_DEPENDENT:
        plain = MEASURES[name](series, periods_per_year=252)
        mixed = MEASURES[name](shuffled, periods_per_year=252)
        assert plain.status == mixed.status
        if plain.value is not None:
            assert mixed.value == pytest.approx(plain.value, rel=1e-6, abs=1e-9)
