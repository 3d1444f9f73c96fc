import numpy as np
import pytest
import talib

from chandlery.errors import InvalidInput
from chandlery.indicators import (
    OPS,
    accdist,
    aroon,
    barssince,
    cross,
    crossover,
    dmi,
    falling,
    fixnan,
    heikin_ashi,
    highestbars,
    latch,
    lowestbars,
    obv,
    operators,
    pivothigh,
    pivotlow,
    rising,
    sar,
    supertrend,
    valuewhen,
    vortex,
    vwap,
    vwap_stdev,
)

NAN = np.nan


def test_offset_of_an_extreme_is_that_of_the_oldest_of_equals() -> None:
    np.testing.assert_array_equal(highestbars([1.0, 3.0, 3.0, 2.0], 3), [NAN, NAN, -1.0, -2.0])
    np.testing.assert_array_equal(lowestbars([2.0, 1.0, 1.0, 4.0], 2), [NAN, 0.0, -1.0, -1.0])


def test_offset_of_an_extreme_looks_back_to_a_hole_and_is_0_on_it() -> None:
    np.testing.assert_array_equal(highestbars([9.0, 8.0, NAN, 1.0, 2.0, 1.0], 3), [NAN, NAN, 0.0, 0.0, 0.0, -1.0])


def test_pivot_of_equals_is_the_newest() -> None:
    # bar 2 equals bar 1 before it and is above bar 3; bar 5 equals bar 6 after it, which no longer has a right side
    np.testing.assert_array_equal(pivothigh([1, 3, 3, 2, 1, 4, 4], 1, 1), [NAN, NAN, NAN, 3, NAN, NAN, NAN])
    np.testing.assert_array_equal(pivotlow([5, 2, 2, 3], 1, 1), [NAN, NAN, NAN, 2])


def test_run_of_rises_ends_on_a_hole_and_on_a_step_within_the_tolerance() -> None:
    assert rising([1, 2, 3, 3 + 5e-11, 5, NAN, 6, 7], 2).tolist() == [False] * 2 + [True] + [False] * 5
    assert falling([3, 2, 1, 1, 0], 2).tolist() == [False, False, True, False, False]


def test_parabolic_line_by_hand() -> None:
    # Bar 1: high below that before, so short from 12, extreme 8. Bar 2: 12 + .5 (8 - 12) = 10, at most the highs 12
    # and 11 before, so 12; new low 6, pace .6. Bar 3: 12 + .6 (6 - 12) = 8.4, passed by 13, so long from the
    # extreme, no higher than the lows: 6; its extreme 13, pace .5. Bar 4: 6 + .5 (13 - 6) = 9.5, at most the low 6.
    high, low = [12.0, 11.0, 10.0, 13.0, 14.0], [9.0, 8.0, 6.0, 9.0, 10.0]
    np.testing.assert_allclose(sar(high, low, low, 0.5, 0.1, 0.9), [NAN, 12.0, 12.0, 6.0, 6.0])


def test_directions_agree_with_talib_after_their_start_is_forgotten() -> None:
    rng = np.random.default_rng(15)
    close = 100.0 + np.cumsum(rng.normal(size=900))
    high, low = close + rng.uniform(0.2, 1.5, 900), close - rng.uniform(0.2, 1.5, 900)
    plus, minus, index = dmi(high, low, close, 14, 14)
    np.testing.assert_allclose(plus[600:], talib.PLUS_DI(high, low, close, 14)[600:], rtol=1e-9)
    np.testing.assert_allclose(minus[600:], talib.MINUS_DI(high, low, close, 14)[600:], rtol=1e-9)
    np.testing.assert_allclose(index[600:], talib.ADX(high, low, close, 14)[600:], rtol=1e-9)
    assert (np.isnan(plus).sum(), np.isnan(index).sum()) == (14, 27)


def test_aroon_equals_talib_where_no_extremes_tie() -> None:
    walk = np.cumsum(np.random.default_rng(16).normal(size=400))
    down, up = talib.AROON(walk + 1.0, walk - 1.0, 25)
    np.testing.assert_allclose(aroon(walk + 1.0, walk - 1.0, 25), (up, down), rtol=1e-12)


def test_volumes_agree_with_talib_but_for_the_first_bar() -> None:
    rng = np.random.default_rng(17)
    close, volume = np.floor(100.0 + np.cumsum(rng.normal(size=300))), rng.integers(1, 9_000, 300).astype(float)
    theirs = talib.OBV(close, volume)
    # TA-Lib starts with the volume of bar 0, Pine with nothing.
    np.testing.assert_allclose(obv(close, volume)[1:], theirs[1:] - theirs[0])
    high, low = close + rng.integers(0, 3, 300), close - rng.integers(0, 2, 300)
    np.testing.assert_allclose(accdist(high, low, close, volume), talib.AD(high, low, close, volume), rtol=1e-9)


def test_vortex_by_hand() -> None:
    high, low, close = [10.0, 12.0, 13.0], [8.0, 9.0, 11.0], [9.0, 11.0, 12.0]
    # bars 1 and 2: |12-8| + |13-9| = 8, |9-10| + |11-12| = 2, true ranges 3 + 2
    up, down = vortex(high, low, close, 2)
    np.testing.assert_array_equal(up, [NAN, NAN, 8 / 5])
    np.testing.assert_array_equal(down, [NAN, NAN, 2 / 5])


def test_average_by_volume_starts_anew_on_a_reset() -> None:
    values, volume = [10.0, 20.0, 30.0, 50.0], [1.0, 3.0, 0.0, 2.0]
    np.testing.assert_array_equal(vwap(values, volume, [True, False, True, False]), [10.0, 17.5, NAN, 50.0])
    # one part 7.5 away and three parts 2.5 away: (56.25 + 3 * 6.25) / 4 squared
    assert vwap_stdev(values, volume, [True, False, True, False])[1] == pytest.approx(np.sqrt(18.75))


def test_supertrend_of_bars_without_range_is_their_middle() -> None:
    line, direction = supertrend([5.0] * 4, [5.0] * 4, [5.0] * 4, 3.0, 2)
    np.testing.assert_array_equal(line, [0.0, 5.0, 5.0, 5.0])
    # Both bands are the price: never above the upper one, so it stays down.
    np.testing.assert_array_equal(direction, [1.0, 1.0, 1.0, 1.0])


def test_heikin_ashi_by_hand() -> None:
    opens, closes = heikin_ashi([10.0, 12.0, 11.0], [13.0, 14.0, 12.0], [9.0, 11.0, 8.0], [12.0, 11.0, 9.0])
    assert opens.tolist() == [11.0, 11.0, 11.5]
    assert closes.tolist() == [11.0, 12.0, 10.0]


def test_touch_without_passing_is_a_crossover_and_no_cross() -> None:
    touching, passing = [2.0, 1.0, 2.0], [2.0, 1.0, 0.0]
    assert crossover(touching, [1.0] * 3).tolist() == [False, False, True]
    assert cross(touching, [1.0] * 3).tolist() == [False, False, False]
    assert cross(passing, [1.0] * 3).tolist() == [False, False, True]
    assert cross([1.0, 1.0, 2.0], [1.0] * 3).tolist() == [False, False, False]


def test_states_by_hand() -> None:
    held = [False, True, False, True, False]
    np.testing.assert_array_equal(barssince(held), [NAN, 0, 1, 0, 1])
    np.testing.assert_array_equal(valuewhen(held, [1.0, 2.0, 3.0, NAN, 5.0]), [NAN, 2.0, 2.0, NAN, NAN])
    np.testing.assert_array_equal(valuewhen(held, [1.0, 2.0, 3.0, NAN, 5.0], 1), [NAN, NAN, NAN, 2.0, 2.0])
    np.testing.assert_array_equal(fixnan([NAN, 1.0, NAN, 2.0]), [NAN, 1.0, 1.0, 2.0])
    assert latch(held, [True, True, False, False, True]).tolist() == [False, True, True, True, False]
    with pytest.raises(InvalidInput, match="counts back"):
        valuewhen(held, [1.0] * 5, -1)


def test_remainder_has_the_sign_of_the_dividend() -> None:
    np.testing.assert_array_equal(operators.modulo([-7, 7, -7.5, 1], [3, -3, 2, 0]), [-1.0, 1.0, -1.5, NAN])


def test_functions_without_a_finite_answer_are_undefined() -> None:
    np.testing.assert_array_equal(operators.power([-8.0, 0.0, 1e200, NAN, 3.0], [1 / 3, -1, 2, 0, 2]), [NAN] * 4 + [9])
    np.testing.assert_array_equal(operators.log([0.0, -1.0, 1.0]), [NAN, NAN, 0.0])
    np.testing.assert_array_equal(operators.exp([800.0, 0.0]), [NAN, 1.0])
    np.testing.assert_array_equal(operators.sqrt([-1.0, 9.0]), [NAN, 3.0])
    np.testing.assert_array_equal(operators.sign([-2.0, 0.0, 1e-300, NAN]), [-1.0, 0.0, 1.0, NAN])
    assert operators.is_na([NAN, np.inf, 0.0]).tolist() == [True, True, False]


@pytest.mark.parametrize("name", ["highest", "lowest", "highestbars", "lowestbars"])
def test_window_longer_than_the_bars_never_answers(name: str) -> None:
    assert np.isnan(OPS[name].reference([1.0, 2.0], 3)).all()
    assert OPS[name].reference([], 3).size == 0
