"""The Pareto front: candidates that no other beats in every objective."""

import numpy as np
from numpy.typing import NDArray

Positions = NDArray[np.int64]


def pareto_front(scores: NDArray[np.float64], numbers: NDArray[np.int64]) -> Positions:
    """Return the positions of the candidates that are not dominated, by descending scores, first column first.

    `scores` `[n, objectives]`, larger is better; rows with a value that is not finite never belong to the front.
    A row dominates another if it is at least as good in every column and better in one. Of rows with equal scores
    the one with the lowest lattice number stands for all. `numbers` int64 `[n]`.
    """
    ranked = np.flatnonzero(np.isfinite(scores).all(axis=1))
    keys = (numbers[ranked], *(-scores[ranked, column] for column in reversed(range(scores.shape[1]))))
    ordered = ranked[np.lexsort(keys)]
    # In this order a row can only be dominated by, or equal to, one before it.
    front: list[int] = []
    held = scores[ordered]
    left = np.arange(ordered.size)
    while left.size:
        leader = held[left[0]]
        front.append(int(ordered[left[0]]))
        left = left[1:][(held[left[1:]] > leader).any(axis=1)]
    return np.array(front, dtype=np.int64)


def front_ranks(scores: NDArray[np.float64]) -> Positions:
    """Return the number of the front `[n]` every row belongs to: 0 is not dominated, 1 only by front 0, ...

    `scores` `[n, objectives]` without NaN; minus infinity is the worst value. Memory grows with n squared.
    """
    no_worse = (scores[:, None, :] >= scores[None, :, :]).all(axis=2)
    beats = no_worse & np.asarray((scores[:, None, :] > scores[None, :, :]).any(axis=2))
    ranks = np.full(scores.shape[0], -1, dtype=np.int64)
    beaten_by = beats.sum(axis=0)
    front = 0
    while (ranks < 0).any():
        current = np.flatnonzero((ranks < 0) & (beaten_by == 0))
        ranks[current] = front
        beaten_by = beaten_by - beats[current].sum(axis=0)
        front += 1
    return ranks


def crowding(scores: NDArray[np.float64], ranks: Positions) -> NDArray[np.float64]:
    """Return the crowding distance `[n]` of every row within its front (Deb et al. 2002), infinite at the ends."""
    distance = np.zeros(scores.shape[0])
    for front in range(int(ranks.max(initial=-1)) + 1):
        members = np.flatnonzero(ranks == front)
        for column in range(scores.shape[1]):
            values = scores[members, column]
            order = np.argsort(values, kind="stable")
            ends, span = members[order[[0, -1]]], values[order[-1]] - values[order[0]]
            if members.size > 2 and np.isfinite(span) and span > 0:
                distance[members[order[1:-1]]] += (values[order[2:]] - values[order[:-2]]) / span
            distance[ends] = np.inf
    return distance
