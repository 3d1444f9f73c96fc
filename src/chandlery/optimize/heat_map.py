"""The heat map: how the best score depends on the two parameters that matter most."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from chandlery.optimize.blocks import Matrix, Row
from chandlery.optimize.evidence import HeatMap, Number

MOST_VALUES = 40


def importances(params: Matrix, scores: Row) -> Row:
    """Return the share of the variance of the scores that each parameter explains by itself, 0 to 1.

    `params` `[n, parameters]`, `scores` `[n]` finite. Share of the variance that is between the values of the
    parameter rather than within them; 0 without variance.
    """
    centred = scores - scores.mean() if scores.size else scores
    total = float(centred @ centred)
    shares = np.zeros(params.shape[1])
    for column in range(params.shape[1]):
        _, value, count = np.unique(params[:, column], return_inverse=True, return_counts=True)
        between = float(np.sum(np.bincount(value, weights=centred) ** 2 / count))
        shares[column] = between / total if total > 0.0 else 0.0
    return shares


def heat_map(names: Sequence[str], params: Matrix, scores: Row) -> HeatMap | None:
    """Return the best score over all other parameters on a grid of the two that explain most of its variance.

    `params` `[n, parameters]` in the order of `names`, `scores` `[n]`, not finite where not ranked. More than 40
    values of a parameter are joined to 40 neighbourhoods, each named by its middle value. With one parameter `y` is
    empty and has the one value 0. None without a parameter or a ranked candidate.
    """
    ranked = np.isfinite(scores)
    if not names or not ranked.any():
        return None
    order = np.argsort(-importances(params[ranked], scores[ranked]), kind="stable")[:2]
    x_values, x_bin = _binned(params[:, order[0]])
    y_values, y_bin = _binned(params[:, order[1]]) if order.size > 1 else ((0,), np.zeros(scores.size, dtype=np.int64))
    grid = np.full((len(y_values), len(x_values)), -np.inf)
    np.maximum.at(grid, (y_bin[ranked], x_bin[ranked]), scores[ranked])
    return HeatMap(
        x=names[order[0]],
        y=names[order[1]] if order.size > 1 else "",
        x_values=x_values,
        y_values=y_values,
        values=tuple(tuple(value if np.isfinite(value) else None for value in row) for row in grid.tolist()),
    )


def _binned(column: Row) -> tuple[tuple[Number, ...], NDArray[np.int64]]:
    """Return the values of the bins, ascending, and the bin of each row."""
    values, at = np.unique(column, return_inverse=True)
    bins = min(MOST_VALUES, values.size)
    edges = np.append(-(-np.arange(bins) * values.size // bins), values.size)
    middles = values[(edges[:-1] + edges[1:] - 1) // 2].tolist()
    return tuple(int(value) if value.is_integer() else value for value in middles), at.ravel() * bins // values.size
