"""Windows against a plain recomputation of each one: gaps, flat stretches, long series, short series."""

import math
from collections.abc import Callable

import numpy as np
import pytest

from chandlery import indicators as ta
from chandlery.errors import InvalidInput
from chandlery.indicators.series import FloatSeries

Naive = Callable[[FloatSeries], float]


def line(window: FloatSeries, ago: int) -> float:
    """Return the least-squares line through a window, `ago` bars before its end."""
    if window.size == 1:
        return float(window[0])
    slope, level = np.polyfit(np.arange(window.size) - window.size + 1.0, window - window[0], 1)
    return float(window[0] + level - slope * ago)


def bell(window: FloatSeries) -> float:
    """Return the average with a bell's weights, top at 85 %, a sixth of the length wide."""
    place = np.arange(window.size)
    weights = np.exp(-0.5 * ((place - 0.85 * (window.size - 1)) / (window.size / 6.0)) ** 2)
    return float(np.average(window, weights=weights))


NAIVE: dict[str, tuple[Callable[..., FloatSeries], Naive]] = {
    "total": (ta.total, math.fsum),
    "sma": (ta.sma, lambda w: math.fsum(w) / w.size),
    "wma": (ta.wma, lambda w: float(np.average(w, weights=np.arange(1, w.size + 1)))),
    "alma": (ta.alma, bell),
    "linreg": (lambda x, n: ta.linreg(x, n, 2), lambda w: line(w, 2) if w.size > 1 else float(w[0])),
    "variance": (ta.variance, lambda w: float(np.var(w))),
    "stdev": (ta.stdev, lambda w: float(np.std(w))),
    "dev": (ta.dev, lambda w: float(np.mean(np.abs(w - np.mean(w))))),
}
SHORT = [*(pair[0] for pair in NAIVE.values()), ta.kama, ta.percentrank, ta.hma, ta.dema, ta.cci, ta.cmo, ta.roc]


def recomputed(naive: Naive, series: FloatSeries, length: int) -> FloatSeries:
    """Return `naive` of every full window, NaN where it holds a NaN."""
    out = np.full(series.size, np.nan)
    for end in range(length, series.size + 1):
        window = series[end - length : end]
        out[end - 1] = math.nan if np.isnan(window).any() else naive(window)
    return out


def gappy() -> FloatSeries:
    """Return a walk with an undefined head, single and double gaps, and a flat stretch."""
    series = 50.0 + np.cumsum(np.random.default_rng(31).normal(size=300))
    series[200:240] = 61.7
    series[:9] = np.nan
    series[[60, 61, 100, 171, 299]] = np.nan
    return series


LEAVING_GAPS_OUT = {"sma", "total"}
"""As in Pine, whose `math.sum` keeps the last defined values."""


@pytest.mark.parametrize("name", NAIVE)
def test_window_with_a_gap_is_undefined_and_the_next_one_without_it_is_right(name: str) -> None:
    function, naive = NAIVE[name]
    for length in (1, 2, 3, 20, 37):
        expected = recomputed(naive, gappy(), length)
        if name in LEAVING_GAPS_OUT:
            defined = np.isfinite(gappy())
            expected = np.full(defined.size, np.nan)
            expected[defined] = recomputed(naive, gappy()[defined], length)
        np.testing.assert_allclose(function(gappy(), length), expected, rtol=1e-12, atol=1e-12)


def test_correlation_over_gaps_equals_numpy() -> None:
    first, second = gappy(), np.random.default_rng(32).normal(size=300)
    second[[80, 141]] = np.nan
    first[200:240] += np.linspace(0.0, 1.0, 40)
    found = ta.correlation(first, second, 20)
    for end in range(20, 301):
        x, y = first[end - 20 : end], second[end - 20 : end]
        assert found[end - 1] == pytest.approx(np.corrcoef(x, y)[0, 1], rel=1e-10, nan_ok=True)


def test_correlation_with_a_flat_series_and_of_one_bar_is_zero() -> None:
    rising = np.arange(30.0)
    assert (ta.correlation(np.full(30, 0.1), rising, 7)[6:] == 0.0).all()
    assert (ta.correlation(rising, rising, 1) == 0.0).all()
    assert ta.correlation(rising, -rising, 7)[-1] == pytest.approx(-1.0, rel=1e-15)


def test_rank_counts_equals_and_leaves_gaps_out() -> None:
    # last bar: 2 of the four before it are at most 3, the gap is none of them
    np.testing.assert_array_equal(ta.percentrank([3.0, 9.0, math.nan, 1.0, 3.0 - 5e-11], 4)[-1:], [50.0])
    assert np.isnan(ta.percentrank([1.0, 2.0, math.nan], 2)).all()


def test_kaufman_keeps_its_state_over_a_gap() -> None:
    # efficiency 1 on a straight line: w = (2/3)^2 = 4/9, first answer follows the value before it
    found = ta.kama([1.0, 2.0, 3.0, 4.0, math.nan, 6.0, 7.0, 8.0], 2)
    second = (2 + 4 / 9) + 4 / 9 * (4 - (2 + 4 / 9))
    expected = [math.nan, math.nan, 2 + 4 / 9, second, *[math.nan] * 3, second + 4 / 9 * (8 - second)]
    np.testing.assert_allclose(found, expected, rtol=1e-14)


def test_sum_since_a_reset_counts_that_bar_and_skips_gaps() -> None:
    found = ta.cum_since([1.0, math.nan, 2.0, 4.0, math.nan, 8.0], [False, False, False, True, False, False])
    assert found.tolist() == [1.0, 1.0, 3.0, 4.0, 4.0, 12.0]


@pytest.mark.parametrize("level", [0.1, 1234.567, 1e-7])
def test_flat_stretch_after_large_prices_has_no_dispersion_and_flat_averages(level: float) -> None:
    series = np.concatenate((np.random.default_rng(1).uniform(1e3, 1e6, 2011), np.full(400, level)))
    for length in (3, 20, 100):
        flat = slice(2011 + length, None)
        assert (ta.stdev(series, length)[flat] == 0.0).all()
        assert (ta.wma(series, length)[flat] == level).all()
        assert (ta.linreg(series, length, 4)[flat] == level).all()


def test_half_a_million_minutes_stay_within_nine_digits_of_a_recomputation() -> None:
    rng = np.random.default_rng(2)
    minutes = 100.0 * np.exp(np.cumsum(rng.normal(0.0, 2e-4, 500_000)))
    minutes[1000:1010] *= 1e6  # a bad print long ago
    other = minutes + rng.normal(0.0, 0.05, minutes.size)
    for length in (20, 390):
        ends = np.concatenate((rng.integers(2000, minutes.size, 300), [minutes.size]))
        found = {name: pair[0](minutes, length) for name, pair in NAIVE.items() if name not in {"alma", "dev"}}
        joint = ta.correlation(minutes, other, length)
        for end in ends:
            window = minutes[end - length : end]
            for name, values in found.items():
                assert values[end - 1] == pytest.approx(NAIVE[name][1](window), rel=1e-9), name
            expected = np.corrcoef(window, other[end - length : end])[0, 1]
            assert joint[end - 1] == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("function", SHORT)
def test_series_shorter_than_the_length_has_no_value(function: Callable[..., FloatSeries]) -> None:
    for bars in (0, 1, 5):
        found = function(np.arange(1.0, bars + 1.0), 9)
        assert found.size == bars
        assert np.isnan(found).all()


def test_infinite_values_count_as_undefined() -> None:
    series = np.array([1.0, 2.0, math.inf, 4.0, 6.0, -math.inf, 8.0])
    for function in (ta.wma, ta.alma, ta.linreg, ta.variance, ta.dev):
        assert np.isfinite(function(series, 2)).tolist() == [False, True, False, False, True, False, False]
    np.testing.assert_array_equal(ta.sma(series, 2), [math.nan, 1.5, math.nan, 3.0, 5.0, math.nan, 7.0])


def test_broken_arguments_are_refused_with_what_was_wrong() -> None:
    with pytest.raises(InvalidInput, match="Sigma was 0"):
        ta.alma([1.0], 1, 0.85, 0.0)
    with pytest.raises(InvalidInput, match="3 and 2 bars"):
        ta.correlation([1.0, 2.0, 3.0], [1.0, 2.0], 2)
    with pytest.raises(InvalidInput, match="Reset was of shape"):
        ta.cum_since([1.0, 2.0], [True])
    with pytest.raises(InvalidInput, match="at least 1"):
        ta.hma([1.0], 1)
