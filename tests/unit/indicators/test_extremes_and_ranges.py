import math

import numpy as np
import talib

from chandlery.indicators import atr, highest, lowest, tr

NAN = math.nan
HIGH, LOW, CLOSE = [10.0, 12.0, 11.0, 15.0], [8.0, 9.0, 10.0, 13.0], [9.0, 11.0, 10.5, 14.0]


def test_highest_and_lowest_equal_talib_exactly() -> None:
    walk = np.random.default_rng(6).normal(size=400)
    for length in (2, 20, 55):
        np.testing.assert_array_equal(highest(walk, length), talib.MAX(walk, length))
        np.testing.assert_array_equal(lowest(walk, length), talib.MIN(walk, length))


def test_window_of_an_extreme_starts_anew_after_a_gap() -> None:
    np.testing.assert_array_equal(highest([3.0, 2.0, NAN, 1.0, 0.0], 2), [NAN, 3.0, NAN, 1.0, 1.0])
    np.testing.assert_array_equal(highest([NAN, 1.0, 0.0, 2.0], 3), [NAN, NAN, 1.0, 2.0])
    assert np.isnan(highest([1.0], 2)).all()


def test_true_range_by_hand() -> None:
    # bar 1: max(3, |12-9|, |9-9|) = 3; bar 2: max(1, |11-11|, |10-11|) = 1; bar 3: max(2, 4.5, 2.5) = 4.5
    np.testing.assert_array_equal(tr(HIGH, LOW, CLOSE), [NAN, 3.0, 1.0, 4.5])
    np.testing.assert_array_equal(tr(HIGH, LOW, CLOSE, handle_na=True), [2.0, 3.0, 1.0, 4.5])


def test_true_range_equals_talib() -> None:
    rng = np.random.default_rng(8)
    close = 50 + np.cumsum(rng.normal(size=300))
    high, low = close + rng.uniform(0, 2, 300), close - rng.uniform(0, 2, 300)
    np.testing.assert_allclose(tr(high, low, close), talib.TRANGE(high, low, close), rtol=1e-12)


def test_atr_counts_the_plain_range_of_bar_0() -> None:
    # seed (2 + 3) / 2 = 2.5, then (2.5 + 1) / 2 = 1.75, (1.75 + 4.5) / 2 = 3.125
    np.testing.assert_array_equal(atr(HIGH, LOW, CLOSE, 2), [NAN, 2.5, 1.75, 3.125])
