"""Split windows: sums over moving windows without subtraction, so nothing is left of a value that has gone.

The bars are cut into blocks of the window's length. A window that ends in a block is the end of the block before
it plus the beginning of its own, and sums of ends and beginnings need one pass each. Values enter as differences
from the first value of the window's block, which lies in the window: what remains are numbers of the size of the
window's spread, whatever the level of the series. A window sum is off by at most `length` roundings, a flat
window is exactly flat, and a NaN is in the sums of exactly those windows that hold it.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from chandlery.indicators.series import FloatSeries

Blocks = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class SplitWindows:
    """The windows of one series.

    `earlier` and `later` are `[blocks, length]`: the block before and the block itself, less `base` `[blocks, 1]`,
    the first value of the block. The window of bar `j` of a block is `earlier[:, j + 1 :]` and `later[:, : j + 1]`.
    """

    earlier: Blocks
    later: Blocks
    base: Blocks


def split(series: FloatSeries, length: int, *, is_based: bool = True) -> SplitWindows:
    """Cut a series into blocks; without `is_based` the values themselves are kept and `base` is 0."""
    count = -(-series.size // length)
    padded = np.full(count * length, np.nan)
    padded[: series.size] = series
    blocks = padded.reshape(count, length)
    before = np.vstack((np.full((1, length), np.nan), blocks))[:count]
    base = blocks[:, :1] if is_based else np.zeros((count, 1))
    return SplitWindows(before - base, blocks - base, base)


def ends(values: Blocks) -> Blocks:
    """Return, per bar `j` of a block, the sum of `values[:, j + 1 :]`, added up from the last one."""
    sums = np.cumsum(values[:, ::-1], axis=1)[:, ::-1]
    return np.hstack((sums[:, 1:], np.zeros((len(values), 1))))


def sums(earlier: Blocks, later: Blocks) -> Blocks:
    """Return the window sums of values, or of products, given for the block before and the block itself."""
    return ends(earlier) + np.cumsum(later, axis=1)


def weighted_sums(windows: SplitWindows, length: int) -> Blocks:
    """Return the window sums of the differences weighted 1 (oldest) to `length`."""
    place = np.arange(length)
    rest = ends(np.cumsum(windows.earlier[:, ::-1], axis=1)[:, ::-1])
    level, slope = np.cumsum(windows.later, axis=1), np.cumsum(place * windows.later, axis=1)
    return rest + (length - place) * level + slope


def joined(blocks: Blocks, size: int) -> FloatSeries:
    """Return blocks as a series of `size` bars."""
    return blocks.reshape(-1)[:size]
