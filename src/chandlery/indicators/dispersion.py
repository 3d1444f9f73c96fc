"""Dispersion: how far the values of a window lie apart, and where the last one ranks."""

from numpy.typing import ArrayLike

from chandlery.indicators.series import FloatSeries
from chandlery.indicators.spec import SERIES_AND_LENGTH, Role, lag, numeric


def variance(values: ArrayLike, length: int) -> FloatSeries:
    raise NotImplementedError


def stdev(values: ArrayLike, length: int) -> FloatSeries:
    raise NotImplementedError


def dev(values: ArrayLike, length: int) -> FloatSeries:
    raise NotImplementedError


def percentrank(values: ArrayLike, length: int) -> FloatSeries:
    raise NotImplementedError


def correlation(first: ArrayLike, second: ArrayLike, length: int) -> FloatSeries:
    raise NotImplementedError


SPECS = [
    numeric("variance", SERIES_AND_LENGTH, variance, "ta.variance({0}, {1})"),
    numeric("stdev", SERIES_AND_LENGTH, stdev, "ta.stdev({0}, {1})"),
    numeric("dev", SERIES_AND_LENGTH, dev, "ta.dev({0}, {1})"),
    numeric("percentrank", SERIES_AND_LENGTH, percentrank, "ta.percentrank({0}, {1})", warmup=lag),
    numeric("correlation", (Role.SERIES, *SERIES_AND_LENGTH), correlation, "ta.correlation({0}, {1}, {2})"),
]
"""The operations of this module."""
