import math

import numpy as np
import talib

from chandlery.indicators import change, rsi


def test_rsi_agrees_with_talib_to_eleven_digits() -> None:
    walk = 100.0 + np.cumsum(np.random.default_rng(4).normal(size=800))
    for length in (2, 14, 30):
        np.testing.assert_allclose(rsi(walk, length), talib.RSI(walk, length), rtol=1e-11)


def test_rsi_by_hand() -> None:
    # moves +2 -1 +3; seed of 2: gain 1, loss 0.5 -> 66.67; then gain 2, loss 0.25 -> 100 - 100/9
    np.testing.assert_allclose(rsi([10, 12, 11, 14], 2), [math.nan, math.nan, 100 - 100 / 3, 100 - 100 / 9])


def test_rsi_without_losses_is_100_and_tested_before_gains() -> None:
    assert rsi([1, 2, 3, 4], 2)[-1] == 100.0
    assert rsi([5, 5, 5, 5], 2)[-1] == 100.0


def test_rsi_without_gains_is_0() -> None:
    assert rsi([4, 3, 2, 1], 2)[-1] == 0.0


def test_rsi_treats_a_loss_of_1e_10_as_none() -> None:
    below, above = [100.0, 101.0, 101.0 - 1e-10], [100.0, 101.0, 101.0 - 1e-8]
    assert rsi(below, 2)[-1] == 100.0
    assert rsi(above, 2)[-1] < 100.0


def test_rsi_warms_up_for_its_length() -> None:
    assert np.isnan(rsi(np.arange(20.0), 14)).sum() == 14


def test_change_looks_back_by_its_length() -> None:
    np.testing.assert_array_equal(change([1.0, 4.0, 9.0, 16.0], 2), [math.nan, math.nan, 8.0, 12.0])
