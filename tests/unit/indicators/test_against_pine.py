"""Every function of these families against PyneCore on real days, bar by bar, its leading na included."""

from collections.abc import Callable
from types import SimpleNamespace

import numpy as np
import pytest
from pine_series import pine_series
from tape_series import read_tape

from chandlery import indicators as ta
from chandlery.indicators.series import FloatSeries

SETUP = """
late = close if bar_index >= 13 else na
flat = 150.0 if bar_index >= 300 and bar_index < 360 else close
gaps = na if bar_index % 17 == 5 else close
middle, upper, lower = ta.bb(late, 20, 2.0)
center, top, bottom = ta.kc(late, 20, 1.5)
line, smooth, histogram = ta.macd(late, 12, 26, 9)
""".strip()

Case = tuple[str, Callable[[SimpleNamespace], FloatSeries]]

CASES: dict[str, Case] = {
    "sma": ("ta.sma(close, 20)", lambda b: ta.sma(b.close, 20)),
    "sma late": ("ta.sma(late, 20)", lambda b: ta.sma(b.late, 20)),
    "ema": ("ta.ema(late, 20)", lambda b: ta.ema(b.late, 20)),
    "ema over gaps": ("ta.ema(gaps, 20)", lambda b: ta.ema(b.gaps, 20)),
    "rma": ("ta.rma(late, 14)", lambda b: ta.rma(b.late, 14)),
    "rma over gaps": ("ta.rma(gaps, 14)", lambda b: ta.rma(b.gaps, 14)),
    "rsi": ("ta.rsi(late, 14)", lambda b: ta.rsi(b.late, 14)),
    "rsi flat": ("ta.rsi(flat, 5)", lambda b: ta.rsi(b.flat, 5)),
    "change": ("ta.change(late, 3)", lambda b: ta.change(b.late, 3)),
    "wma": ("ta.wma(close, 20)", lambda b: ta.wma(b.close, 20)),
    "wma late": ("ta.wma(late, 600)", lambda b: ta.wma(b.late, 600)),
    "alma": ("ta.alma(late, 21, 0.85, 6.0)", lambda b: ta.alma(b.late, 21)),
    "alma elsewhere": ("ta.alma(close, 9, 0.4, 3.0)", lambda b: ta.alma(b.close, 9, 0.4, 3.0)),
    "linreg": ("ta.linreg(late, 20, 0)", lambda b: ta.linreg(b.late, 20)),
    "linreg before": ("ta.linreg(close, 50, 7)", lambda b: ta.linreg(b.close, 50, 7)),
    "linreg of one": ("ta.linreg(close, 1, 0)", lambda b: ta.linreg(b.close, 1)),
    "hma": ("ta.hma(late, 55)", lambda b: ta.hma(b.late, 55)),
    "vwma": ("ta.vwma(late, 20)", lambda b: ta.vwma(b.late, b.volume, 20)),
    "swma": ("ta.swma(late)", lambda b: ta.swma(b.late)),
    "variance": ("ta.variance(late, 20)", lambda b: ta.variance(b.late, 20)),
    "stdev": ("ta.stdev(late, 20)", lambda b: ta.stdev(b.late, 20)),
    "stdev long": ("ta.stdev(close, 300)", lambda b: ta.stdev(b.close, 300)),
    "dev": ("ta.dev(late, 20)", lambda b: ta.dev(b.late, 20)),
    "percentrank": ("ta.percentrank(close, 100)", lambda b: ta.percentrank(b.close, 100)),
    "percentrank late": ("ta.percentrank(late, 20)", lambda b: ta.percentrank(b.late, 20)),
    "percentrank over gaps": ("ta.percentrank(gaps, 20)", lambda b: ta.percentrank(b.gaps, 20)),
    "percentrank flat": ("ta.percentrank(flat, 20)", lambda b: ta.percentrank(b.flat, 20)),
    "correlation": ("ta.correlation(late, volume, 30)", lambda b: ta.correlation(b.late, b.volume, 30)),
    "correlation flat": ("ta.correlation(flat, 1.0 * bar_index, 9)", lambda b: ta.correlation(b.flat, b.index, 9)),
    "sum": ("math.sum(late, 20)", lambda b: ta.total(b.late, 20)),
    "cum": ("ta.cum(volume)", lambda b: ta.cum(b.volume)),
    "cum over gaps": ("ta.cum(gaps)", lambda b: ta.cum(b.gaps)),
    "bb middle": ("middle", lambda b: ta.bb(b.late)[0]),
    "bb upper": ("upper", lambda b: ta.bb(b.late)[1]),
    "bb lower": ("lower", lambda b: ta.bb(b.late)[2]),
    "bbw": ("ta.bbw(late, 20, 2.0)", lambda b: ta.bbw(b.late)),
    "kc middle": ("center", lambda b: ta.kc(b.late, (b.high, b.low, b.close), 20, 1.5)[0]),
    "kc upper": ("top", lambda b: ta.kc(b.late, (b.high, b.low, b.close), 20, 1.5)[1]),
    "kc lower": ("bottom", lambda b: ta.kc(b.late, (b.high, b.low, b.close), 20, 1.5)[2]),
    "kcw": ("ta.kcw(late, 20, 1.5)", lambda b: ta.kcw(b.late, (b.high, b.low, b.close), 20, 1.5)),
    "macd line": ("line", lambda b: ta.macd(b.late)[0]),
    "macd signal": ("smooth", lambda b: ta.macd(b.late)[1]),
    "macd histogram": ("histogram", lambda b: ta.macd(b.late)[2]),
    "stoch": ("ta.stoch(close, high, low, 14)", lambda b: ta.stoch(b.close, b.high, b.low, 14)),
    "stoch flat": ("ta.stoch(flat, flat, flat, 14)", lambda b: ta.stoch(b.flat, b.flat, b.flat, 14)),
    "cci": ("ta.cci(late, 20)", lambda b: ta.cci(b.late, 20)),
    "cmo": ("ta.cmo(late, 9)", lambda b: ta.cmo(b.late, 9)),
    "cmo flat": ("ta.cmo(flat, 9)", lambda b: ta.cmo(b.flat, 9)),
    "mom": ("ta.mom(late, 10)", lambda b: ta.mom(b.late, 10)),
    "roc": ("ta.roc(late, 9)", lambda b: ta.roc(b.late, 9)),
    "tsi": ("ta.tsi(late, 13, 25)", lambda b: ta.tsi(b.late, 13, 25)),
    "wpr": ("ta.wpr(14)", lambda b: ta.wpr(b.high, b.low, b.close, 14)),
}

Bars = SimpleNamespace


@pytest.fixture(scope="module")
def bars() -> Bars:
    """Return the last 1,500 adjusted days of AAPL, and series with a head, a flat stretch and gaps."""
    frame = read_tape("us_daily/AAPL").tail(1500)
    names = ("open", "high", "low", "close", "volume")
    fields = {name: frame[f"adj_{name}"].to_numpy().copy() for name in names}
    index = np.arange(frame.height)
    late = np.where(index >= 13, fields["close"], np.nan)
    flat = np.where((index >= 300) & (index < 360), 150.0, fields["close"])
    gaps = np.where(index % 17 == 5, np.nan, fields["close"])
    ohlcv = np.stack([fields[name] for name in names])
    return Bars(**fields, late=late, flat=flat, gaps=gaps, index=index.astype(float), ohlcv=ohlcv)


@pytest.fixture(scope="module")
def pine(bars: Bars) -> dict[str, FloatSeries]:
    """Return every case as PyneCore computes it."""
    formulas = {name: formula for name, (formula, _) in CASES.items()} | {"mfi": "ta.mfi(hlc3, 14)"}
    return pine_series(SETUP, formulas, bars.ohlcv)


@pytest.mark.parametrize("name", CASES)
def test_function_equals_pine_to_nine_digits(name: str, bars: Bars, pine: dict[str, FloatSeries]) -> None:
    found, expected = CASES[name][1](bars), pine[name]
    assert np.isfinite(expected).sum() > 800
    np.testing.assert_array_equal(np.isnan(found), np.isnan(expected))
    np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-9)


def test_money_flow_equals_pine_from_its_second_value_on(bars: Bars, pine: dict[str, FloatSeries]) -> None:
    # Pine answers one bar earlier and counts bar 0, which has no move, on both sides.
    found = ta.mfi((bars.high + bars.low + bars.close) / 3, bars.volume, 14)
    assert np.isnan(found[:14]).all()
    assert np.isfinite(pine["mfi"][13])
    np.testing.assert_allclose(found[14:], pine["mfi"][14:], rtol=1e-9, atol=1e-9)
