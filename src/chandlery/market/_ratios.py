"""Values times an exact ratio, rounded once.

Multiplying and then dividing floats rounds twice. Here the product and the remainder of the division are kept exactly
as pairs of floats (Dekker's two-product), so that the result is the float nearest to the exact one.
"""

from collections.abc import Sequence
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Places = NDArray[np.intp]

_SPLITTER = 134_217_729.0
"""2^27 + 1 cuts 53 bits in two halves."""
_SHORT = 2**26
"""Up to here numerator, denominator and remainder are exact, and no quotient lies too near a tie to be told apart."""
_LONG = 2**64
"""Splits alone stay below; beyond are dividends, whose ratio is rounded itself (to 128 bits)."""
_SAFE = (1e-200, 1e200)
"""Outside, the halves could overflow or lose bits."""


def times(values: Floats, ratios: Sequence[Fraction], which: Places) -> Floats:
    """Return `values * ratios[which]`, each the nearest float; NaN, infinities and zeros stay what they are.

    For ratios with a part above 2^64 "nearest" holds but for products within 2^-50 of a tie.

    Args:
        values: any floats.
        ratios: positive.
        which: the place in `ratios` for each value.
    """
    parts = [max(ratio.numerator, ratio.denominator) for ratio in ratios]
    is_short = np.array([part <= _SHORT for part in parts], dtype=bool)
    is_long = np.array([part > _LONG for part in parts], dtype=bool)
    is_one = np.array([ratio == 1 for ratio in ratios], dtype=bool)
    size = np.abs(values)
    todo = np.isfinite(values) & (values != 0) & ~is_one[which]
    is_safe = todo & (size > _SAFE[0]) & (size < _SAFE[1])
    result = values.copy()
    for chosen, method in ((is_short, _by_division), (is_long, _by_pair)):
        rows = is_safe & chosen[which]
        result[rows] = method(
            values[rows], [r if c else Fraction(1) for r, c in zip(ratios, chosen, strict=True)], which[rows]
        )
        todo &= ~rows
    for place in np.flatnonzero(todo):
        ratio = ratios[which[place]]
        top, bottom = values[place].as_integer_ratio()
        result[place] = _quotient(top * ratio.numerator, bottom * ratio.denominator)
    return result


def _quotient(top: int, bottom: int) -> float:
    try:
        return top / bottom  # between integers Python's division is correctly rounded
    except OverflowError:
        return float("inf") if top > 0 else float("-inf")


def _by_division(values: Floats, ratios: Sequence[Fraction], which: Places) -> Floats:
    numerators = np.array([float(ratio.numerator) for ratio in ratios])[which]
    denominators = np.array([float(ratio.denominator) for ratio in ratios])[which]
    product, error = _product(values, numerators)
    quotient = product / denominators
    back, lost = _product(quotient, denominators)
    remainder = (product - back) - lost + error
    corrected: Floats = quotient + remainder / denominators
    return corrected


def _by_pair(values: Floats, ratios: Sequence[Fraction], which: Places) -> Floats:
    high = np.array([float(ratio) for ratio in ratios])
    low = np.array([float(ratio - Fraction(top)) for ratio, top in zip(ratios, high, strict=True)])
    product, error = _product(values, high[which])
    result: Floats = product + (error + values * low[which])
    return result


def _product(a: Floats, b: Floats) -> tuple[Floats, Floats]:
    """Return `a * b` and what rounding took from it."""
    product = a * b
    a_high, a_low = _halves(a)
    b_high, b_low = _halves(b)
    return product, ((a_high * b_high - product) + a_high * b_low + a_low * b_high) + a_low * b_low


def _halves(a: Floats) -> tuple[Floats, Floats]:
    wide = _SPLITTER * a
    high = wide - (wide - a)
    return high, a - high
