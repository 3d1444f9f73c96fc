"""Extremes, pivots, states, ranges, trailing lines and volumes: words, public functions and PyneCore agree."""

import numpy as np
import pytest
from numpy.typing import NDArray

from chandlery.backtest import Panel
from chandlery.backtest.execution import Execution
from chandlery.backtest.reference import series_values
from chandlery.strategies import operations as words
from chandlery.strategies.operations import close, floor, high, hlc3, low, new_month, rsi, volume
from tests.builders.pyne_oracle import run_pyne
from tests.builders.real_panel import real_panel

GAPPY = close / (floor(close) - floor(close[1]))
LATE = rsi(close, 14)
RISE = close > close[1]
STEPS = floor(close)
PEAK = words.highest(GAPPY, 4)
SURGE, SLUMP = words.rising(close, 2), words.falling(close, 2)

SCRIPT = """
'@pyne'
from pynecore import Persistent, Series
from pynecore.lib import bar_index, close, fixnan, hlc3, high, low, math, month, na, ohlc4, open, plot, script, ta
from pynecore.lib import volume

def latch(on, off):
    state: Persistent[bool] = False
    state = True if on else False if off else state
    return state

def heikin_ashi_open(opening, closing, average: Series[float]):
    value: Persistent[float] = na(float)
    value = (opening + closing) / 2 if na(value) else (value + average[1]) / 2
    return value

@script.strategy("probe")
def main():
    stride = math.floor(close) - math.floor(close[1])
    gappy: Series[float] = na(float) if stride == 0 else close / stride
    late = ta.rsi(close, 14)
    steps: Series[float] = math.floor(close)
    rise = close > close[1]
    line, heading = ta.supertrend(3.0, 10)
    short_line, short_heading = ta.supertrend(1.5, 1)
    plus, minus, index = ta.dmi(14, 10)
    middle, upper, lower = ta.vwap(hlc3, bar_index == 0 or month != month[1], 1.0)
"""

EXACT = {
    "highest": ("ta.highest(high, 20)", words.highest(high, 20)),
    "highest late": ("ta.highest(late, 20)", words.highest(LATE, 20)),
    "highest gappy": ("ta.highest(gappy, 4)", words.highest(GAPPY, 4)),
    "lowest gappy": ("ta.lowest(gappy, 7)", words.lowest(GAPPY, 7)),
    "lowest late": ("ta.lowest(late, 5)", words.lowest(LATE, 5)),
    "highestbars": ("ta.highestbars(high, 20)", words.highestbars(high, 20)),
    "highestbars ties": ("ta.highestbars(steps, 9)", words.highestbars(STEPS, 9)),
    "highestbars gappy": ("ta.highestbars(gappy, 6)", words.highestbars(GAPPY, 6)),
    "lowestbars": ("ta.lowestbars(low, 55)", words.lowestbars(low, 55)),
    "lowestbars ties": ("ta.lowestbars(steps, 9)", words.lowestbars(STEPS, 9)),
    "lowestbars gappy": ("ta.lowestbars(gappy, 6)", words.lowestbars(GAPPY, 6)),
    "rising": ("1 if ta.rising(close, 3) else 0", words.rising(close, 3)),
    "falling": ("1 if ta.falling(steps, 2) else 0", words.falling(STEPS, 2)),
    "rising gappy": ("1 if ta.rising(gappy, 1) else 0", words.rising(GAPPY, 1)),
    "pivothigh": ("ta.pivothigh(high, 4, 2)", words.pivothigh(high, 4, 2)),
    "pivotlow": ("ta.pivotlow(low, 3, 3)", words.pivotlow(low, 3, 3)),
    "pivothigh ties": ("ta.pivothigh(steps, 2, 3)", words.pivothigh(STEPS, 2, 3)),
    "pivotlow ties": ("ta.pivotlow(steps, 5, 1)", words.pivotlow(STEPS, 5, 1)),
    "pivothigh late": ("ta.pivothigh(late, 20, 2)", words.pivothigh(LATE, 20, 2)),
    "change": ("ta.change(close, 3)", words.change(close, 3)),
    "tr": ("ta.tr(False)", words.tr()),
    "filled tr": ("ta.tr(True)", words.tr(handle_na=True)),
    "crossover": ("1 if ta.crossover(steps, steps[2]) else 0", words.crossover(STEPS, STEPS[2])),
    "crossunder": (
        "1 if ta.crossunder(close, ta.highest(gappy, 4)) else 0",
        words.crossunder(close, PEAK),
    ),
    "cross": ("1 if ta.cross(steps, steps[2]) else 0", words.cross(STEPS, STEPS[2])),
    "cross gappy": ("1 if ta.cross(gappy, gappy[1]) else 0", words.cross(GAPPY, GAPPY[1])),
    "valuewhen": ("ta.valuewhen(rise, high, 2)", words.valuewhen(RISE, high, 2)),
    "valuewhen gappy": ("ta.valuewhen(rise, gappy, 1)", words.valuewhen(RISE, GAPPY, 1)),
    "barssince": ("ta.barssince(ta.rising(close, 3))", words.barssince(words.rising(close, 3))),
    "fixnan": ("fixnan(gappy)", words.fixnan(GAPPY)),
    "latch": (
        "1 if latch(ta.rising(close, 2), ta.falling(close, 2)) else 0",
        words.latch(SURGE, SLUMP),
    ),
    "supertrend heading": ("heading", words.supertrend(3.0, 10)[1]),
    "supertrend heading of one bar": ("short_heading", words.supertrend(1.5, 1)[1]),
    "aroon up": ("100 * (ta.highestbars(high, 15) + 14) / 14", words.aroon(14)[0]),
    "aroon down": ("100 * (ta.lowestbars(low, 15) + 14) / 14", words.aroon(14)[1]),
    "mod": ("(close - 60) % -7", (close - 60) % -7),
    "mod by zero": ("close % (steps % 2)", close % (STEPS % 2)),
    "sign": ("math.sign(ta.change(steps))", words.sign(words.change(STEPS))),
    "sqrt": ("math.sqrt(ta.change(close))", words.sqrt(words.change(close))),
    "isna": ("1 if na(gappy) else 0", words.isna(GAPPY)),
}

CLOSE = {
    "atr": ("ta.atr(14)", words.atr(14)),
    "sar": ("ta.sar(0.02, 0.02, 0.2)", words.sar(0.02, 0.02, 0.2)),
    "sar fast": ("ta.sar(0.25, 0.25, 0.13)", words.sar(0.25, 0.25, 0.13)),
    "supertrend": ("line", words.supertrend(3.0, 10)[0]),
    "supertrend of one bar": ("short_line", words.supertrend(1.5, 1)[0]),
    "heikin ashi open": ("heikin_ashi_open(open, close, ohlc4)", words.heikin_ashi()[0]),
    "heikin ashi close": ("ohlc4", words.heikin_ashi()[1]),
    "plus": ("plus", words.dmi(14, 10)[0]),
    "minus": ("minus", words.dmi(14, 10)[1]),
    "index": ("index", words.dmi(14, 10)[2]),
    "vortex up": ("math.sum(math.abs(high - low[1]), 14) / math.sum(ta.atr(1), 14)", words.vortex(14)[0]),
    "vortex down": ("math.sum(math.abs(low - high[1]), 14) / math.sum(ta.atr(1), 14)", words.vortex(14)[1]),
    "obv": ("ta.obv", words.obv()),
    "accdist": ("ta.accdist", words.accdist()),
    "cum": ("ta.cum(gappy)", words.cum(GAPPY)),
    "vwap": ("middle", words.vwap(hlc3, new_month)),
    "vwap reach": ("upper - middle", words.vwap_stdev(hlc3, new_month)),
    "exp": ("math.exp(close / 50)", words.exp(close / 50)),
    "log": ("math.log(volume)", words.log(volume)),
    "pow": ("math.pow(close, 1.7)", words.power(close, 1.7)),
    "pow of a negative": ("math.pow(ta.change(close), 3)", words.power(words.change(close), 3)),
}


@pytest.fixture(scope="module")
def panel() -> Panel:
    """Return 1,500 bars of AAPL; every hundredth has no range."""
    whole = real_panel("AAPL", 1_500)
    ohlcv = whole.ohlcv.copy()
    ohlcv[:4, ::100] = ohlcv[3, ::100]
    return Panel(whole.symbol, whole.timeframe, whole.ts, ohlcv)


@pytest.fixture(scope="module")
def plots(panel: Panel) -> dict[str, NDArray[np.float64]]:
    """Return what PyneCore computes for every formula, in one run."""
    lines = [f'    plot({text}, "{name}")\n' for name, (text, _) in {**EXACT, **CLOSE}.items()]
    run = run_pyne(SCRIPT + "".join(lines), panel, Execution())
    return {name: np.array(values) for name, values in run.plots.items()}


@pytest.mark.parametrize("name", EXACT)
def test_value_equals_pine_exactly(name: str, panel: Panel, plots: dict[str, NDArray[np.float64]]) -> None:
    word = EXACT[name][1]
    found = np.asarray(series_values(word, {}, panel), dtype=np.float64)
    np.testing.assert_array_equal(found, plots[name])
    assert np.unique(found[np.isfinite(found)]).size > 1


@pytest.mark.parametrize("name", CLOSE)
def test_value_equals_pine_to_eleven_digits(name: str, panel: Panel, plots: dict[str, NDArray[np.float64]]) -> None:
    found = np.asarray(series_values(CLOSE[name][1], {}, panel), dtype=np.float64)
    np.testing.assert_allclose(found, plots[name], rtol=1e-11, atol=1e-9)
    assert np.unique(found[np.isfinite(found)]).size > 100
