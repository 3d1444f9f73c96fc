"""Trailing lines: stop-and-reverse levels that follow price."""

from numpy.typing import ArrayLike

from chandlery.indicators.series import FloatSeries
from chandlery.indicators.spec import BAR, OpSpec, Role, Scalar, no_bars, numeric, one_bar, window


def sar(
    high: ArrayLike, low: ArrayLike, close: ArrayLike, start: float = 0.02, step: float = 0.02, top: float = 0.2
) -> FloatSeries:
    raise NotImplementedError


def supertrend(
    high: ArrayLike, low: ArrayLike, close: ArrayLike, factor: float = 3.0, length: int = 10
) -> tuple[FloatSeries, FloatSeries]:
    raise NotImplementedError


def supertrend_line(high: ArrayLike, low: ArrayLike, close: ArrayLike, factor: float, length: int) -> FloatSeries:
    """First answer of `supertrend`."""
    return supertrend(high, low, close, factor, length)[0]


def supertrend_direction(high: ArrayLike, low: ArrayLike, close: ArrayLike, factor: float, length: int) -> FloatSeries:
    """Second answer of `supertrend`: -1 up, 1 down."""
    return supertrend(high, low, close, factor, length)[1]


def heikin_ashi_open(opening: ArrayLike, close: ArrayLike, average: ArrayLike) -> FloatSeries:
    raise NotImplementedError


_FACTOR_AND_LENGTH = (*BAR, Role.NUMBER, Role.LENGTH)
_SUPERTREND = "ta.supertrend({3}, {4})"

SPECS = [
    numeric("sar", (*BAR, Role.NUMBER, Role.NUMBER, Role.NUMBER), sar, "ta.sar({3}, {4}, {5})", warmup=one_bar),
    OpSpec("supertrend", _FACTOR_AND_LENGTH, False, Scalar.NEVER, window, supertrend_line, _SUPERTREND, outputs=2),
    OpSpec(
        "supertrend_direction",
        _FACTOR_AND_LENGTH,
        False,
        Scalar.NEVER,
        no_bars,
        supertrend_direction,
        _SUPERTREND,
        code="supertrend",
        output=1,
        outputs=2,
    ),
    numeric("heikin_ashi_open", BAR, heikin_ashi_open, "heikin_ashi_open({0}, {1}, {2})", warmup=no_bars),
]
"""The operations of this module."""
