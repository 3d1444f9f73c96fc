"""States: what the past of a series or a condition says now."""

from numpy.typing import ArrayLike

from chandlery.indicators.series import BoolSeries, FloatSeries
from chandlery.indicators.spec import CONDITIONS, Role, no_bars, numeric, signal


def fixnan(values: ArrayLike) -> FloatSeries:
    raise NotImplementedError


def valuewhen(condition: ArrayLike, values: ArrayLike, occurrence: int = 0) -> FloatSeries:
    raise NotImplementedError


def barssince(condition: ArrayLike) -> FloatSeries:
    raise NotImplementedError


def latch(on: ArrayLike, off: ArrayLike) -> BoolSeries:
    raise NotImplementedError


SPECS = [
    numeric("fixnan", (Role.SERIES,), fixnan, "fixnan({0})", warmup=no_bars),
    numeric(
        "valuewhen",
        (Role.CONDITION, Role.SERIES, Role.COUNT),
        valuewhen,
        "ta.valuewhen({0}, {1}, {2})",
        warmup=no_bars,
    ),
    numeric("barssince", (Role.CONDITION,), barssince, "ta.barssince({0})", warmup=no_bars),
    signal("latch", CONDITIONS, latch, "latch({0}, {1})"),
]
"""The operations of this module."""
