"""TA-Lib as a second witness, where its definitions are the same."""

from collections.abc import Callable

import numpy as np
import pytest
import talib

from chandlery import indicators as ta
from chandlery.indicators.series import FloatSeries

RNG = np.random.default_rng(17)
CLOSE = 80.0 * np.exp(np.cumsum(RNG.normal(0.0, 0.015, 1200)))
HIGH, LOW = CLOSE * (1 + RNG.uniform(0, 0.01, 1200)), CLOSE * (1 - RNG.uniform(0, 0.01, 1200))
VOLUME = RNG.lognormal(12.0, 1.0, 1200)
TYPICAL = (HIGH + LOW + CLOSE) / 3
LENGTHS = (2, 14, 60)

Pair = tuple[Callable[[int], FloatSeries], Callable[[int], FloatSeries]]

PAIRS: dict[str, Pair] = {
    "wma": (lambda n: ta.wma(CLOSE, n), lambda n: talib.WMA(CLOSE, n)),
    "linreg": (lambda n: ta.linreg(CLOSE, n), lambda n: talib.LINEARREG(CLOSE, n)),
    "kama": (lambda n: ta.kama(CLOSE, n, 2, 30), lambda n: talib.KAMA(CLOSE, n)),
    "dema": (lambda n: ta.dema(CLOSE, n), lambda n: talib.DEMA(CLOSE, n)),
    "tema": (lambda n: ta.tema(CLOSE, n), lambda n: talib.TEMA(CLOSE, n)),
    "variance": (lambda n: ta.variance(CLOSE, n), lambda n: talib.VAR(CLOSE, n)),
    "stdev": (lambda n: ta.stdev(CLOSE, n), lambda n: talib.STDDEV(CLOSE, n)),
    "correlation": (lambda n: ta.correlation(CLOSE, LOW, n), lambda n: talib.CORREL(CLOSE, LOW, n)),
    "sum": (lambda n: ta.total(CLOSE, n), lambda n: talib.SUM(CLOSE, n)),
    "bb upper": (lambda n: ta.bb(CLOSE, n, 2.0)[1], lambda n: talib.BBANDS(CLOSE, n, 2.0, 2.0)[0]),
    "bb lower": (lambda n: ta.bb(CLOSE, n, 2.0)[2], lambda n: talib.BBANDS(CLOSE, n, 2.0, 2.0)[2]),
    "stoch": (lambda n: ta.stoch(CLOSE, HIGH, LOW, n), lambda n: talib.STOCHF(HIGH, LOW, CLOSE, n, 1)[0]),
    "wpr": (lambda n: ta.wpr(HIGH, LOW, CLOSE, n), lambda n: talib.WILLR(HIGH, LOW, CLOSE, n)),
    "cci": (lambda n: ta.cci(TYPICAL, n), lambda n: talib.CCI(HIGH, LOW, CLOSE, n)),
    "mfi": (lambda n: ta.mfi(TYPICAL, VOLUME, n), lambda n: talib.MFI(HIGH, LOW, CLOSE, VOLUME, n)),
    "mom": (lambda n: ta.mom(CLOSE, n), lambda n: talib.MOM(CLOSE, n)),
    "roc": (lambda n: ta.roc(CLOSE, n), lambda n: talib.ROC(CLOSE, n)),
    "trix": (lambda n: ta.trix(CLOSE, n), lambda n: 100.0 * talib.TRIX(CLOSE, n)),
    "ppo": (lambda n: ta.ppo(CLOSE, n, 2 * n), lambda n: talib.PPO(CLOSE, n, 2 * n, matype=1)),
}


@pytest.mark.parametrize("name", PAIRS)
def test_function_agrees_with_talib(name: str) -> None:
    for length in LENGTHS:
        found, expected = PAIRS[name][0](length), PAIRS[name][1](length)
        np.testing.assert_array_equal(np.isnan(found), np.isnan(expected), err_msg=f"length {length}")
        np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-9, err_msg=f"length {length}")
