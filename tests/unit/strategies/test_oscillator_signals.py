"""Signals of momentum, mean reversion, breakout and volume against TA-Lib and rules written out bar by bar."""

from collections.abc import Callable

import numpy as np
import pytest
import talib
from numpy.typing import NDArray

from chandlery.backtest import Panel
from chandlery.backtest.reference import signal_values
from chandlery.strategies import get_strategy

Row = NDArray[np.float64]
Flags = NDArray[np.bool_]
Bars = tuple[Row, Row, Row, Row, Row]
Wanted = tuple[Flags, Flags]
MINUTE = 60_000_000


def walk(seed: int, count: int) -> Row:
    """Return open, high, low, close, volume of a seeded walk, without ties."""
    rng = np.random.default_rng(seed)
    close = 100.0 * np.exp(np.cumsum(rng.normal(0.0, 0.01, count)))
    opening = np.concatenate(([100.0], close[:-1])) * np.exp(rng.normal(0.0, 0.003, count))
    reach = rng.exponential(0.004, (2, count))
    high, low = np.maximum(opening, close) * (1.0 + reach[0]), np.minimum(opening, close) / (1.0 + reach[1])
    return np.stack([opening, high, low, close, rng.uniform(1_000, 9_000, count)])


def crossed(first: Row, second: Row | float) -> Flags:
    """Return where `first` rose above `second`."""
    left, right = np.broadcast_arrays(first, second)
    above = left > right
    return np.concatenate(([False], above[1:] & (left[:-1] <= right[:-1])))


def leaving(index: Row, low: float, high: float) -> Wanted:
    """Return where `index` rose through `low`, and where it fell through `high`."""
    return crossed(index, low), crossed(-index, -high)


def slow_stochastic(bars: Bars) -> Wanted:
    _, high, low, close, _ = bars
    k, d = talib.STOCH(high, low, close, 14, 3, 0, 3, 0)
    return crossed(k, d) & (k < 20), crossed(d, k) & (k > 80)


def bollinger(bars: Bars) -> Wanted:
    upper, _, lower = talib.BBANDS(bars[3], 20, 2, 2, 0)
    return crossed(bars[3], lower), crossed(upper, bars[3])


def connors(bars: Bars) -> Wanted:
    close = bars[3]
    strength, trend = talib.RSI(close, 2), talib.SMA(close, 200)
    return (close > trend) & (strength < 10), (close < trend) & (strength > 90)


def streaks(bars: Bars) -> Wanted:
    moves = np.sign(np.diff(bars[3], prepend=bars[3][0]))
    return tuple(
        np.array([i >= 3 and (moves[i - 2 : i + 1] == way).all() for i in range(moves.size)]) for way in (-1, 1)
    )


def narrow(bars: Bars) -> Wanted:
    spread = bars[1] - bars[2]
    found = np.array([i >= 6 and spread[i] < spread[i - 6 : i].min() for i in range(spread.size)])
    return found, found


WITNESSES: dict[str, Callable[[Bars], Wanted]] = {
    "stoch_slow": slow_stochastic,
    "bb_revert": bollinger,
    "rsi2_connors": connors,
    "consecutive_down": streaks,
    "nr7": narrow,
    "cci": lambda bars: leaving(talib.CCI(bars[1], bars[2], bars[3], 20), -100.0, 100.0),
    "mfi": lambda bars: leaving(talib.MFI(bars[1], bars[2], bars[3], bars[4], 14), 20.0, 80.0),
    "williams_r": lambda bars: leaving(talib.WILLR(bars[1], bars[2], bars[3], 14), -80.0, -20.0),
    "roc": lambda bars: leaving(talib.ROC(bars[3], 12), 0.0, 0.0),
    "rsi_mid": lambda bars: leaving(talib.RSI(bars[3], 14), 50.0, 50.0),
}


@pytest.mark.parametrize("name", WITNESSES)
def test_signals_are_those_of_the_witness(name: str) -> None:
    values, strategy = walk(11, 2_000), get_strategy(name)
    panel = Panel("WALK", "1d", np.arange(2_000, dtype=np.int64), values)
    wanted = WITNESSES[name](tuple(values))
    assert strategy.short_entry is not None
    for signal, expected in zip((strategy.long_entry, strategy.short_entry), wanted, strict=True):
        assert expected.any()
        np.testing.assert_array_equal(signal_values(signal, strategy.defaults, panel), expected)


def test_opening_range_waits_from_the_thirtieth_bar_until_the_range_breaks() -> None:
    # Bars from 9:00, before the open, to 16:00, with every seventh missing but the first of the session.
    minutes = np.array([m for m in range(540, 960) if m % 7 or m == 570])
    stamps = np.concatenate([(day * 1_440 + minutes) * MINUTE for day in range(12)])
    values = walk(5, stamps.size)
    panel = Panel("MINUTES", "1m", stamps, values)
    expected = np.zeros(stamps.size, dtype=np.bool_)
    for day in range(12):
        session = np.flatnonzero((stamps // (1_440 * MINUTE) == day) & (stamps // MINUTE % 1_440 >= 570))
        top, bottom = values[1, session[:30]].max(), values[2, session[:30]].min()
        for bar in session[29:]:
            if bar > session[29] and (values[1, bar] >= top or values[2, bar] <= bottom):
                break
            expected[bar] = stamps[bar] // MINUTE % 1_440 < 930
    strategy = get_strategy("opening_range")
    assert expected.sum() > 20
    np.testing.assert_array_equal(signal_values(strategy.long_entry, strategy.defaults, panel), expected)


@pytest.mark.parametrize("name", ["opening_range", "vwap_revert"])
def test_strategies_within_the_day_never_trade_daily_bars(name: str) -> None:
    panel = Panel("DAYS", "1d", np.arange(500, dtype=np.int64) * 1_440 * MINUTE, walk(3, 500))
    strategy = get_strategy(name)
    for signal in strategy.signals.values():
        assert not signal_values(signal, strategy.defaults, panel).any()
