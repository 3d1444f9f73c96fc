import math
from collections.abc import Callable

import numpy as np
import pytest
import talib

from chandlery.errors import InvalidInput
from chandlery.indicators import ema, rma, sma
from chandlery.indicators.series import FloatSeries


@pytest.fixture(scope="module")
def walk() -> FloatSeries:
    return 100.0 + np.cumsum(np.random.default_rng(3).normal(size=600))


@pytest.mark.parametrize("length", [1, 2, 14, 200])
def test_sma_equals_the_exact_mean_of_every_window(walk: FloatSeries, length: int) -> None:
    exact = [math.fsum(walk[i - length + 1 : i + 1]) / length for i in range(length - 1, walk.size)]
    assert np.isnan(sma(walk, length)[: length - 1]).all()
    np.testing.assert_allclose(sma(walk, length)[length - 1 :], exact, rtol=1e-15)


def test_sma_and_ema_agree_with_talib_to_eleven_digits(walk: FloatSeries) -> None:
    for ours, theirs in ((sma, talib.SMA), (ema, talib.EMA)):
        for length in (2, 14, 50):
            np.testing.assert_allclose(ours(walk, length), theirs(walk, length), rtol=1e-11)


def test_sma_of_a_flat_stretch_after_large_prices_is_exactly_flat() -> None:
    values = np.concatenate((np.random.default_rng(1).uniform(1e3, 1e6, 2000), np.full(300, 0.1)))
    assert (sma(values, 100)[-200:] == 0.1).all()


def test_sma_stays_within_1e_12_after_half_a_million_bars() -> None:
    values = np.random.default_rng(2).lognormal(0.0, 3.0, 500_000)
    exact = math.fsum(values[-50:]) / 50
    assert sma(values, 50)[-1] == pytest.approx(exact, rel=1e-12)


def test_sma_leaves_a_gap_out_of_its_window() -> None:
    values = [1.0, 2.0, math.nan, 4.0, 6.0, 8.0]
    np.testing.assert_array_equal(sma(values, 2), [math.nan, 1.5, math.nan, 3.0, 5.0, 7.0])


def test_ema_by_hand_keeps_its_state_over_a_gap() -> None:
    # seed (2 + 4) / 2 = 3, weight 2/3: 3 + 2/3 (9 - 3) = 7, gap, 7 + 2/3 (1 - 7) = 3
    np.testing.assert_allclose(ema([math.nan, 2, 4, 9, math.nan, 1], 2), [math.nan] * 2 + [3, 7, math.nan, 3])


def test_rma_by_hand_is_seeded_with_the_mean() -> None:
    # seed (3 + 6 + 9) / 3 = 6, then (6 * 2 + 12) / 3 = 8, (8 * 2 + 5) / 3 = 7
    np.testing.assert_allclose(rma([3, 6, 9, 12, 5], 3), [math.nan, math.nan, 6, 8, 7])


@pytest.mark.parametrize("average", [sma, ema, rma])
def test_average_of_a_short_or_empty_series_is_undefined(average: Callable[..., FloatSeries]) -> None:
    assert np.isnan(average([1.0, 2.0], 3)).all()
    assert average([], 3).size == 0


@pytest.mark.parametrize("length", [0, -1, 2.5])
def test_length_below_one_or_broken_is_refused(length: float) -> None:
    with pytest.raises(InvalidInput, match="at least 1"):
        sma([1.0], length)


def test_two_dimensional_input_is_refused() -> None:
    with pytest.raises(InvalidInput, match="one dimension"):
        ema([[1.0, 2.0]], 1)
