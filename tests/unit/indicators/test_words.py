"""Every word of averages, dispersion, oscillators and totals against the public function of its name."""

from collections.abc import Callable

import numpy as np
import pytest
from tape_series import read_tape

from chandlery import indicators as ta
from chandlery.backtest import Panel
from chandlery.backtest.reference import series_values
from chandlery.indicators.series import FloatSeries
from chandlery.strategies import Expression
from chandlery.strategies import operations as words
from chandlery.strategies.expressions import Param
from chandlery.strategies.operations import close, high, low, volume

Answer = tuple[FloatSeries, ...] | FloatSeries
N = Param("n")

PAIRS: dict[str, tuple[object, Callable[[Panel], Answer]]] = {
    "sma": (words.sma(close, 9), lambda p: ta.sma(p.field("close"), 9)),
    "ema": (words.ema(close, 9), lambda p: ta.ema(p.field("close"), 9)),
    "rma": (words.rma(close, 9), lambda p: ta.rma(p.field("close"), 9)),
    "wma": (words.wma(close, 9), lambda p: ta.wma(p.field("close"), 9)),
    "alma": (words.alma(close, 9, 0.85, 6), lambda p: ta.alma(p.field("close"), 9)),
    "kama": (words.kama(close, 9, 2, 30), lambda p: ta.kama(p.field("close"), 9)),
    "linreg": (words.linreg(close, 9, 2), lambda p: ta.linreg(p.field("close"), 9, 2)),
    "hma": (words.hma(close, 17), lambda p: ta.hma(p.field("close"), 17)),
    "dema": (words.dema(close, 9), lambda p: ta.dema(p.field("close"), 9)),
    "tema": (words.tema(close, 9), lambda p: ta.tema(p.field("close"), 9)),
    "vwma": (words.vwma(close, 9), lambda p: ta.vwma(p.field("close"), p.field("volume"), 9)),
    "swma": (words.swma(close), lambda p: ta.swma(p.field("close"))),
    "variance": (words.variance(close, 9), lambda p: ta.variance(p.field("close"), 9)),
    "stdev": (words.stdev(close, 9), lambda p: ta.stdev(p.field("close"), 9)),
    "dev": (words.dev(close, 9), lambda p: ta.dev(p.field("close"), 9)),
    "percentrank": (words.percentrank(close, 9), lambda p: ta.percentrank(p.field("close"), 9)),
    "correlation": (
        words.correlation(close, volume, 9),
        lambda p: ta.correlation(p.field("close"), p.field("volume"), 9),
    ),
    "bb": (words.bb(close, 9, 2), lambda p: ta.bb(p.field("close"), 9, 2.0)),
    "bbw": (words.bbw(close, 9, 2), lambda p: ta.bbw(p.field("close"), 9, 2.0)),
    "kc": (words.kc(close, 9, 1.5), lambda p: ta.kc(p.field("close"), prices(p), 9, 1.5)),
    "kcw": (words.kcw(close, 9, 1.5), lambda p: ta.kcw(p.field("close"), prices(p), 9, 1.5)),
    "macd": (words.macd(close, 5, 13, 4), lambda p: ta.macd(p.field("close"), 5, 13, 4)),
    "ppo": (words.ppo(close, 5, 13), lambda p: ta.ppo(p.field("close"), 5, 13)),
    "tsi": (words.tsi(close, 5, 13), lambda p: ta.tsi(p.field("close"), 5, 13)),
    "trix": (words.trix(close, 9), lambda p: ta.trix(p.field("close"), 9)),
    "rsi": (words.rsi(close, 9), lambda p: ta.rsi(p.field("close"), 9)),
    "change": (words.change(close, 9), lambda p: ta.change(p.field("close"), 9)),
    "stoch": (
        words.stoch(close, high, low, 9),
        lambda p: ta.stoch(p.field("close"), p.field("high"), p.field("low"), 9),
    ),
    "wpr": (words.wpr(9), lambda p: ta.wpr(p.field("high"), p.field("low"), p.field("close"), 9)),
    "cci": (words.cci(close, 9), lambda p: ta.cci(p.field("close"), 9)),
    "cmo": (words.cmo(close, 9), lambda p: ta.cmo(p.field("close"), 9)),
    "mfi": (words.mfi(close, 9), lambda p: ta.mfi(p.field("close"), p.field("volume"), 9)),
    "mom": (words.mom(close, 9), lambda p: ta.mom(p.field("close"), 9)),
    "roc": (words.roc(close, 9), lambda p: ta.roc(p.field("close"), 9)),
    "roc of a parameter": (words.roc(close, N), lambda p: ta.roc(p.field("close"), 9)),
    "total": (words.total(close, 9), lambda p: ta.total(p.field("close"), 9)),
    "cum": (words.cum(close), lambda p: ta.cum(p.field("close"))),
    "cum_since": (
        words.cum_since(volume, close > high[1]),
        lambda p: ta.cum_since(p.field("volume"), p.field("close") - np.roll(p.field("high"), 1) > 1e-10),
    ),
}


def prices(panel: Panel) -> tuple[FloatSeries, FloatSeries, FloatSeries]:
    """Return highs, lows and closes."""
    return panel.field("high"), panel.field("low"), panel.field("close")


@pytest.fixture(scope="module")
def panel() -> Panel:
    """Return 600 adjusted days of AAPL, with fifteen flat closes in the middle."""
    frame = read_tape("us_daily/AAPL").tail(600)
    ohlcv = np.stack([frame[f"adj_{name}"].to_numpy() for name in ("open", "high", "low", "close", "volume")])
    ohlcv[:, 300:315] = ohlcv[:, 300:301]
    return Panel("AAPL", "1d", np.arange(600, dtype=np.int64) * 86_400_000_000, ohlcv)


@pytest.mark.parametrize("name", PAIRS)
def test_word_equals_the_function_of_its_name(name: str, panel: Panel) -> None:
    word, function = PAIRS[name]
    answers = function(panel)
    parts = word if isinstance(word, tuple) else (word,)
    assert all(isinstance(part, Expression) for part in parts)
    for part, answer in zip(parts, answers if isinstance(answers, tuple) else (answers,), strict=True):
        assert np.isfinite(answer).sum() > 500
        np.testing.assert_array_equal(series_values(part, {"n": 9}, panel), answer)


def test_rate_over_a_computed_length_is_within_a_rounding(panel: Panel) -> None:
    found = series_values(words.roc(close, N * 2), {"n": 9}, panel)
    np.testing.assert_allclose(found, ta.roc(panel.field("close"), 18), rtol=1e-12, atol=1e-12)
