"""The statistics against the worked examples of the papers, and against numpy and scipy."""

import math

import numpy as np
import pytest
from scipy import stats

from chandlery.errors import InvalidInput
from chandlery.optimize import deflated_sharpe, expected_max_sharpe, min_track_record_length, psr, return_shape


def test_deflated_sharpe_reproduces_the_example_of_the_2014_paper() -> None:
    # Annual ratio 2.5 over 1,250 days, 250 a year, skewness -3, kurtosis 10, V = 1/2 annual:
    # luck 0.1132 a day over 100 trials, DSR 0.9004; over 46 trials 0.9505.
    sharpe, variance = 2.5 / math.sqrt(250), 0.5 / 250
    moments = {"n": 1250, "skew": -3.0, "kurtosis": 10.0}
    assert expected_max_sharpe(trials=100, variance=variance) == pytest.approx(0.1132, abs=5e-5)
    assert deflated_sharpe(sharpe, trials=100, variance=variance, **moments) == pytest.approx(0.9004, abs=5e-5)
    assert deflated_sharpe(sharpe, trials=46, variance=variance, **moments) == pytest.approx(0.9505, abs=5e-5)


def test_deflated_sharpe_of_normal_returns_reproduces_the_example_of_the_2014_paper() -> None:
    # The same ratio with normal returns could have come from 88 trials.
    deflated = deflated_sharpe(2.5 / math.sqrt(250), trials=88, variance=0.5 / 250, n=1250, skew=0.0, kurtosis=3.0)
    assert deflated == pytest.approx(0.9505, abs=5e-5)


def test_psr_reproduces_the_example_of_the_2012_paper() -> None:
    # Two years of months, 0.458 a month: 0.98 as if normal, 0.913 with skewness -2.448 and kurtosis 10.164.
    assert psr(0.458, benchmark=0.0, n=24, skew=0.0, kurtosis=3.0) == pytest.approx(0.982, abs=1.5e-3)
    assert psr(0.458, benchmark=0.0, n=24, skew=-2.448, kurtosis=10.164) == pytest.approx(0.913, abs=5e-4)


@pytest.mark.parametrize(("periods", "years"), [(252, 2.73), (52, 2.83), (12, 3.24)])
def test_track_record_of_normal_returns_reproduces_the_2012_paper(periods: int, years: float) -> None:
    # To believe an annual ratio of 2 to be above 1 with 95 %.
    scale = math.sqrt(periods)
    length = min_track_record_length(2 / scale, benchmark=1 / scale, skew=0.0, kurtosis=3.0)
    assert length / periods == pytest.approx(years, abs=5e-3)


def test_track_record_of_hedge_fund_returns_reproduces_the_2012_paper() -> None:
    scale = math.sqrt(12)
    length = min_track_record_length(2 / scale, benchmark=1 / scale, skew=-0.72, kurtosis=5.78)
    assert length / 12 == pytest.approx(4.99, abs=5e-3)


def test_track_record_is_the_length_at_which_psr_reaches_the_confidence() -> None:
    moments = {"skew": -0.4, "kurtosis": 5.0}
    length = min_track_record_length(0.1, benchmark=0.02, confidence=0.9, **moments)
    assert psr(0.1, benchmark=0.02, n=math.ceil(length), **moments) >= 0.9
    assert psr(0.1, benchmark=0.02, n=math.floor(length), **moments) < 0.9


def test_track_record_of_a_ratio_not_above_the_benchmark_is_infinite() -> None:
    assert min_track_record_length(0.1, benchmark=0.1, skew=0.0, kurtosis=3.0) == math.inf


def test_luck_of_many_trials_agrees_with_simulated_maxima() -> None:
    maxima = np.random.default_rng(0).normal(0.0, 0.2, (4_000, 500)).max(axis=1)
    assert expected_max_sharpe(trials=500, variance=0.04) == pytest.approx(maxima.mean(), rel=0.01)


def test_one_trial_needs_no_deflation() -> None:
    moments = {"n": 500, "skew": 0.1, "kurtosis": 4.0}
    assert deflated_sharpe(0.05, trials=1, variance=0.0, **moments) == psr(0.05, benchmark=0.0, **moments)


def test_shape_agrees_with_scipy() -> None:
    returns = np.random.default_rng(4).gamma(2.0, 0.01, 300) - 0.015
    shape = return_shape(returns)
    assert shape is not None
    assert shape.sharpe == pytest.approx(returns.mean() / returns.std(ddof=1), rel=1e-12)
    assert shape.skew == pytest.approx(stats.skew(returns), rel=1e-10)
    assert shape.kurtosis == pytest.approx(stats.kurtosis(returns, fisher=False), rel=1e-10)
    assert shape.n == 300


def test_returns_without_variance_have_no_shape() -> None:
    assert return_shape([0.0] * 10) is None
    assert return_shape([0.01] * 10) is None


def test_unusable_inputs_are_refused() -> None:
    with pytest.raises(InvalidInput, match="at least 3"):
        return_shape([0.1, 0.2])
    with pytest.raises(InvalidInput, match="at least 2"):
        psr(0.1, benchmark=0.0, n=1, skew=0.0, kurtosis=3.0)
    with pytest.raises(InvalidInput, match="no distribution"):
        psr(1.0, benchmark=0.0, n=10, skew=3.0, kurtosis=1.0)
    with pytest.raises(InvalidInput, match="at least 1 trial"):
        expected_max_sharpe(trials=0, variance=1.0)
    with pytest.raises(InvalidInput, match="confidence"):
        min_track_record_length(0.1, benchmark=0.0, skew=0.0, kurtosis=3.0, confidence=1.0)
