"""Words of definitions and public functions of the same name give the same numbers, bit by bit, on real bars."""

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from chandlery import indicators as ta
from chandlery.backtest import Panel
from chandlery.backtest.reference import series_values
from chandlery.strategies import Expression
from chandlery.strategies import operations as words
from tests.builders.real_panel import real_panel

Arrays = tuple[NDArray[np.generic], ...]


@pytest.fixture(scope="module")
def panel() -> Panel:
    """Return 800 bars of GE."""
    return real_panel("GE", 800)


def both(given: object) -> tuple[object, ...]:
    """Return a tuple as it is, anything else as a tuple of one."""
    return given if isinstance(given, tuple) else (given,)


OPEN, H, L, C, V, HLC3 = words.open_, words.high, words.low, words.close, words.volume, words.hlc3
RISE, RARE = C[1] < C, words.rising(C, 4)

PAIRS: dict[str, tuple[Expression | tuple[Expression, ...], tuple[Expression, ...], Callable[..., object]]] = {
    "highest": (words.highest(H, 20), (H,), lambda h: ta.highest(h, 20)),
    "lowest": (words.lowest(L, 20), (L,), lambda x: ta.lowest(x, 20)),
    "highestbars": (words.highestbars(H, 20), (H,), lambda h: ta.highestbars(h, 20)),
    "lowestbars": (words.lowestbars(L, 20), (L,), lambda x: ta.lowestbars(x, 20)),
    "rising": (words.rising(C, 3), (C,), lambda c: ta.rising(c, 3)),
    "falling": (words.falling(C, 3), (C,), lambda c: ta.falling(c, 3)),
    "pivothigh": (words.pivothigh(H, 4, 2), (H,), lambda h: ta.pivothigh(h, 4, 2)),
    "pivotlow": (words.pivotlow(L, 4, 2), (L,), lambda x: ta.pivotlow(x, 4, 2)),
    "change": (words.change(C, 3), (C,), lambda c: ta.change(c, 3)),
    "tr": (words.tr(), (H, L, C), ta.tr),
    "filled tr": (words.tr(handle_na=True), (H, L, C), lambda *bar: ta.tr(*bar, handle_na=True)),
    "atr": (words.atr(14), (H, L, C), ta.atr),
    "sar": (words.sar(0.02, 0.02, 0.2), (H, L, C), ta.sar),
    "supertrend": (words.supertrend(3.0, 10), (H, L, C), ta.supertrend),
    "heikin_ashi": (words.heikin_ashi(), (OPEN, H, L, C), ta.heikin_ashi),
    "crossover": (words.crossover(C, C[2]), (C, C[2]), ta.crossover),
    "crossunder": (words.crossunder(C, C[2]), (C, C[2]), ta.crossunder),
    "cross": (words.cross(C, C[2]), (C, C[2]), ta.cross),
    "valuewhen": (words.valuewhen(RISE, H, 2), (RISE, H), lambda on, h: ta.valuewhen(on, h, 2)),
    "barssince": (words.barssince(RARE), (RARE,), ta.barssince),
    "fixnan": (words.fixnan(words.pivothigh(H, 4, 2)), (words.pivothigh(H, 4, 2),), ta.fixnan),
    "latch": (words.latch(RARE, ~RISE), (RARE, ~RISE), ta.latch),
    "dmi": (words.dmi(14, 10), (H, L, C), lambda *bar: ta.dmi(*bar, 14, 10)),
    "aroon": (words.aroon(25), (H, L), lambda *bar: ta.aroon(*bar, 25)),
    "vortex": (words.vortex(14), (H, L, C), ta.vortex),
    "obv": (words.obv(), (C, V), ta.obv),
    "accdist": (words.accdist(), (H, L, C, V), ta.accdist),
    "vwap": (words.vwap(HLC3, words.new_month), (HLC3, V, words.new_month), ta.vwap),
    "vwap_stdev": (words.vwap_stdev(HLC3, words.new_month), (HLC3, V, words.new_month), ta.vwap_stdev),
}


@pytest.mark.parametrize("name", PAIRS)
def test_word_equals_the_public_function(name: str, panel: Panel) -> None:
    word, operands, function = PAIRS[name]
    given = [series_values(operand, {}, panel) for operand in operands]
    for expression, expected in zip(both(word), both(function(*given)), strict=True):
        np.testing.assert_array_equal(series_values(expression, {}, panel), expected)
