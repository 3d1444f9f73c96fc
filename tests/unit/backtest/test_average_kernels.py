"""Kernels of averages and dispersion against their references, bit by bit, and in a whole strategy."""

import numpy as np
import pytest

from chandlery.backtest import Execution, Panel, evaluate_many, opcodes, vm
from chandlery.backtest.reference import signal_values
from chandlery.indicators import OPS
from chandlery.indicators.series import FloatSeries
from chandlery.strategies import Expression, Int, Param, Strategy
from chandlery.strategies.operations import (
    alma,
    close,
    cmo,
    correlation,
    crossover,
    dev,
    ema,
    floor,
    hma,
    kama,
    linreg,
    mfi,
    percentrank,
    sma,
    stdev,
    total,
    variance,
    volume,
    wma,
)

NUMBERS = {"alma": (0.85, 6.0), "kama": (2.0, 30.0), "linreg": (3.0, 0.0)}
AVERAGES = ("sum", "sma", "ema", "rma", "wma", "alma", "kama", "linreg")
DISPERSION = ("variance", "stdev", "dev", "percentrank", "correlation")
N = Param("n")
GAPPY = close / (floor(close) - floor(close[1]))  # undefined wherever the whole part does not move


def series(kind: str, bars: int) -> tuple[FloatSeries, FloatSeries]:
    """Return two series of one kind."""
    rng = np.random.default_rng(bars)
    first = 100.0 * np.exp(np.cumsum(rng.normal(0.0, 0.01, bars)))
    second = np.cumsum(rng.normal(size=bars))
    if kind == "head":
        first[: min(bars, 13)] = np.nan
    elif kind == "holes":
        first[rng.random(bars) < 0.02], second[rng.random(bars) < 0.01] = np.nan, np.nan
    elif kind == "flat":
        first = np.round(first)
        first[bars // 3 : bars // 2] = 0.1
    elif kind == "infinite":
        first[rng.random(bars) < 0.02], first[rng.random(bars) < 0.01] = np.inf, -np.inf
    return first, second


def compiled(name: str, first: FloatSeries, second: FloatSeries, length: int) -> FloatSeries:
    """Return what the machine writes for a tape of one operation; rows 0 and 1 are the series, the rest its own."""
    if name in opcodes.FROM_PREFIX:
        prefix = [opcodes.PREFIX, 1, 2, 3, 0, 0, 0, 0, 0, 0]
        lines = [prefix, [opcodes.FROM_PREFIX[name], 0, 0, 0, 3, 4, 5, 0, 1, 2]]
    else:
        lines = [[opcodes.CODES[name], 0, 1, 2, 0, 1 if name == "correlation" else 0, 0, 0, 1, 2]]
    bars = first.size
    live, nothing = np.full((1, 4, bars), 7.0), (np.empty((0, 8)), np.empty((0, 64, 4)), np.empty((0, 2, bars)))
    memory = (np.stack([first, second]), np.empty((0, bars)), live, np.empty((1, bars), np.int64))
    numbers = np.array([[float(length), *NUMBERS.get(name, (0.0, 0.0))]])
    vm.run_program((np.array(lines), np.zeros(2, np.int64)), numbers, memory, (0.0, 0.0), nothing)
    return live[0, 0]


@pytest.mark.parametrize("name", [*AVERAGES, *DISPERSION])
def test_kernel_equals_its_reference_bit_by_bit(name: str) -> None:
    for kind in ("plain", "head", "holes", "flat", "infinite"):
        for bars in (1, 2, 7, 61, 1100):
            first, second = series(kind, bars)
            for length in (1, 2, 3, 5, 13, 20, 60, 61, 600, 3000):
                inputs = (first, second) if name == "correlation" else (first,)
                expected = OPS[name].reference(*inputs, length, *NUMBERS.get(name, ())[: len(OPS[name].operands) - 2])
                np.testing.assert_array_equal(
                    compiled(name, first, second, length), expected, err_msg=f"{kind}, {bars} bars, length {length}"
                )


def built(x: Expression) -> list[Expression]:
    """Return every operation of these families on `x`, and words made of several."""
    words = [word(x, N) for word in (total, wma, variance, stdev, dev, percentrank, hma, mfi, cmo)]
    return [*words, alma(x, N, 0.85, 6), kama(x, N, 2, 30), linreg(x, N, 3), correlation(x, volume, N)]


@pytest.mark.parametrize("x", [close, GAPPY, sma(close, 5)], ids=["close", "gappy", "nested"])
def test_strategies_of_these_operations_signal_as_the_reference(walk_panel: Panel, x: Expression) -> None:
    for series_ in built(x):
        entry, closing = series_ > ema(series_, 5), crossover(sma(series_, 3), series_)
        strategy = Strategy(
            name="probe",
            version=1,
            family="trend",
            title="Probe",
            doc="A probe.",
            params={"n": Int(default=7, lo=2, hi=2000)},
            long_entry=entry,
            long_exit=closing,
        )
        found = evaluate_many(strategy, [[2.0], [13.0], [1000.0]], walk_panel, Execution(), keep_signals=True)
        assert found.signals is not None
        for place, length in enumerate((2, 13, 1000)):
            # An entry beats the exit of its bar.
            for which, signal in enumerate((entry, closing & ~entry)):
                expected = signal_values(signal, {"n": length}, walk_panel)
                np.testing.assert_array_equal(found.signals[place, which], expected)
