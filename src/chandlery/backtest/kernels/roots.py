"""Roots: the values a strategy decides by, wherever their rows are."""

import numpy as np
from numpy.typing import NDArray

from chandlery.backtest.jit import Row, Rows, kernel, lean

Roots = tuple[Rows, Rows, Rows, NDArray[np.int64]]
"""Sources, derived rows, rows of the candidate, and the row of every root of `fields`."""


@kernel
def row_of(roots: Roots, place: int) -> Row:
    """Row of a root."""
    sources, derived, live, where = roots
    row = where[place]
    values: Row = sources[0]
    if row < sources.shape[0]:
        values = sources[row]
    elif row < sources.shape[0] + derived.shape[0]:
        values = derived[row - sources.shape[0]]
    else:
        values = live[row - sources.shape[0] - derived.shape[0]]
    return values


@lean
def at(roots: Roots, place: int, i: int) -> float:
    """Value of a root on bar `i`."""
    sources, derived, live, where = roots
    row = where[place]
    if row < sources.shape[0]:
        return float(sources[row, i])
    row -= sources.shape[0]
    if row < derived.shape[0]:
        return float(derived[row, i])
    return float(live[row - derived.shape[0], i])
