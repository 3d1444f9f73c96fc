"""Signals of the trend family against TA-Lib, brute force and the built-in scripts."""

import numpy as np
import pytest
import talib
from numpy.typing import NDArray

from chandlery.backtest import Panel
from chandlery.backtest.reference import series_values, signal_values
from chandlery.strategies import get_strategy

Values = NDArray[np.float64]


@pytest.fixture(scope="module")
def panel() -> Panel:
    """A seeded walk of 1,500 bars whose days open at the close before."""
    rng = np.random.default_rng(11)
    close = 50.0 * np.exp(np.cumsum(rng.normal(0.0, 0.012, 1_500)))
    opening = np.concatenate((close[:1], close[:-1]))
    reach = rng.exponential(0.005, (2, close.size))
    high, low = np.maximum(opening, close) * (1 + reach[0]), np.minimum(opening, close) / (1 + reach[1])
    stamps = np.arange(close.size, dtype=np.int64) * 86_400_000_000
    return Panel("WALK", "1d", stamps, np.stack([opening, high, low, close, np.ones_like(close)]))


def entry(name: str, panel: Panel) -> NDArray[np.bool_]:
    """Return where the strategy buys, with its defaults."""
    strategy = get_strategy(name)
    return signal_values(strategy.long_entry, strategy.defaults, panel)


def crosses(first: Values, second: Values) -> NDArray[np.bool_]:
    """Return where `first` passes above `second`."""
    above, out = first > second, np.zeros(first.size, dtype=np.bool_)
    out[1:] = above[1:] & (first[:-1] <= second[:-1])
    return out


def talib_on_defined(values: Values, length: int) -> Values:
    """Return TA-Lib's exponential average of a series that begins with NaN."""
    first = int(np.flatnonzero(~np.isnan(values))[0])
    return np.concatenate((np.full(first, np.nan), talib.EMA(values[first:], length)))


def macd_signal(panel: Panel) -> NDArray[np.bool_]:
    close = panel.field("close")
    line = talib.EMA(close, 12) - talib.EMA(close, 26)
    return crosses(line, talib_on_defined(line, 9))


def trix(panel: Panel) -> NDArray[np.bool_]:
    line = talib.TRIX(panel.field("close"), 15)
    return crosses(line, talib_on_defined(line, 9))


def dema_tema(panel: Panel) -> NDArray[np.bool_]:
    return crosses(talib.DEMA(panel.field("close"), 20), talib.TEMA(panel.field("close"), 50))


def coppock(panel: Panel) -> NDArray[np.bool_]:
    close = panel.field("close")
    rates = talib.ROC(close, 14) + talib.ROC(close, 11)
    curve = np.concatenate((np.full(14, np.nan), talib.WMA(rates[14:], 10)))
    before = np.concatenate(([np.nan], curve[:-1]))
    return crosses(curve, before) & (curve < 0)


def aroon(panel: Panel) -> NDArray[np.bool_]:
    down, up = talib.AROON(panel.field("high"), panel.field("low"), 25)
    return (up > 70) & (down < 30)


def linreg_slope(panel: Panel) -> NDArray[np.bool_]:
    return talib.LINEARREG_SLOPE(panel.field("close"), 20) > 0


def ichimoku(panel: Panel) -> NDArray[np.bool_]:
    high, low, close = (panel.field(name) for name in ("high", "low", "close"))
    out = np.zeros(panel.bars, dtype=np.bool_)

    def middle(last: int, length: int) -> float:
        part = slice(last - length + 1, last + 1)
        return float(high[part].max() + low[part].min()) / 2

    for i in range(76, panel.bars):
        cloud = max((middle(i - 25, 9) + middle(i - 25, 26)) / 2, middle(i - 25, 52))
        out[i] = middle(i, 9) > middle(i, 26) and close[i] > cloud and close[i] > close[i - 25]
    return out


@pytest.mark.parametrize(
    "witness",
    [macd_signal, trix, dema_tema, coppock, aroon, linreg_slope, ichimoku],
    ids=lambda witness: witness.__name__,
)
def test_entries_equal_those_of_a_witness(witness: object, panel: Panel) -> None:
    assert callable(witness)
    expected = witness(panel)
    assert expected.sum() > 10
    np.testing.assert_array_equal(entry(witness.__name__, panel), expected)


SETTLED = 100
"""Bars after which the beginning no longer matters."""


def builtin_parabolic(panel: Panel) -> tuple[list[bool], list[float]]:
    """Return direction and order level of TradingView's Parabolic SAR Strategy, its script line by line."""
    high, low, close = (panel.field(name).tolist() for name in ("high", "low", "close"))
    rises, speed = close[1] > close[0], 0.02
    extreme = high[1] if rises else low[1]
    ahead = low[0] if rises else high[0]
    ahead += 0.02 * (extreme - ahead)
    trends, levels = [False], [float("nan")]
    for i in range(1, panel.bars):
        line, turned = ahead, i == 1
        if rises and line > low[i]:
            turned, rises, line, extreme, speed = True, False, max(extreme, high[i]), low[i], 0.02
        elif not rises and line < high[i]:
            turned, rises, line, extreme, speed = True, True, min(extreme, low[i]), high[i], 0.02
        if not turned and (high[i] > extreme if rises else low[i] < extreme):
            extreme, speed = high[i] if rises else low[i], min(speed + 0.02, 0.2)
        before = slice(max(i - 2, 0), i)
        line = min(line, *low[before]) if rises else max(line, *high[before])
        ahead = line + speed * (extreme - line)
        trends.append(rises)
        levels.append(ahead)
    return trends, levels


def test_parabolic_orders_are_those_of_the_builtin_script(panel: Panel) -> None:
    strategy = get_strategy("psar")
    trends, levels = builtin_parabolic(panel)
    assert strategy.long_order is not None
    assert strategy.short_order is not None
    assert strategy.short_entry is not None
    found = series_values(strategy.long_order.level, strategy.defaults, panel)
    # The first trend is told by highs here, as ta.sar does, and by closes there; the first reversals make them one.
    np.testing.assert_allclose(found[SETTLED:], levels[SETTLED:], rtol=1e-12)
    assert strategy.short_order.level == strategy.long_order.level
    np.testing.assert_array_equal(entry("psar", panel)[SETTLED:], ~np.array(trends)[SETTLED:])
    np.testing.assert_array_equal(
        signal_values(strategy.short_entry, strategy.defaults, panel)[SETTLED:], trends[SETTLED:]
    )
