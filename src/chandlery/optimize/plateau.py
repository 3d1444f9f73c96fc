"""Plateaus: a candidate whose neighbours do as well is worth more than a peak that stands alone.

The neighbourhood of a lattice point are the points at most two steps away, counted over all parameters together.
After the idea of Pardo, The Evaluation and Optimization of Trading Strategies, 2008; the score is our own.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from chandlery.optimize.blocks import Matrix, Row
from chandlery.optimize.space import Space

Numbers = NDArray[np.int64]
Score = Callable[[Numbers], Row]
"""First scores of lattice points within the constraints; not finite where not ranked."""

COMPLETED = 32
"""So many of the best candidates have their missing neighbours evaluated."""

_CONSIDERED = 512
_STEPS = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Plateau:
    """The neighbourhood of one candidate, itself included.

    `score`: mean less standard deviation (ddof 0) of the scores; `median_to_peak`: median over the candidate's own
    score, None unless that is above 0; `neighbours`: how many others counted.
    """

    score: float
    median_to_peak: float | None
    neighbours: int

    @property
    def detail(self) -> dict[str, float | None]:
        """Figures by name, as a choice keeps them."""
        return {
            "plateau_score": self.score,
            "median_to_peak": self.median_to_peak,
            "neighbours": float(self.neighbours),
        }


def plateaus(space: Space, numbers: Numbers, scores: Row, *, evaluate: Score | None = None) -> Mapping[int, Plateau]:
    """Return the plateau of candidates by position in `numbers`, for the best 512 whose neighbourhood is known.

    `numbers`, `scores`: all evaluated lattice points; a score that is not finite is not ranked. `evaluate` scores
    the missing neighbours of the best 32, once each. Points outside lattice or constraints do not count; neighbours
    that are not ranked do not enter the mean, but without any that is, or where they outnumber it, there is no
    plateau.
    """
    ranked = np.flatnonzero(np.isfinite(scores))
    order = ranked[np.lexsort((numbers[ranked], -scores[ranked]))][:_CONSIDERED]
    if not order.size:
        return {}
    around = [space.neighbours(int(number), steps=_STEPS).tolist() for number in numbers[order]]
    known = dict(zip(numbers.tolist(), scores.tolist(), strict=True))
    if evaluate is not None:
        wanted = {number for points in around[:COMPLETED] for number in points}
        missing = np.array(sorted(wanted - known.keys()), dtype=np.int64)
        if missing.size:
            known |= dict(zip(missing.tolist(), evaluate(missing).tolist(), strict=True))
    found = {}
    for position, points in zip(order.tolist(), around, strict=True):
        plateau = _plateau(float(scores[position]), [known.get(point) for point in points])
        if plateau is not None:
            found[position] = plateau
    return found


def best_plateau(found: Mapping[int, Plateau], scores: Row) -> int | None:
    """Return the position with the best plateau score; ties to the better own score, then to the first."""
    if not found:
        return None
    return max(found, key=lambda position: (found[position].score, scores[position], -position))


def _plateau(own: float, around: list[float | None]) -> Plateau | None:
    if any(score is None for score in around):
        return None
    ranked = [score for score in around if score is not None and np.isfinite(score)]
    if not ranked or 2 * len(ranked) < len(around):
        return None
    values: Matrix = np.array([own, *ranked])
    return Plateau(
        score=float(values.mean() - values.std()),
        median_to_peak=float(np.median(values)) / own if own > 0.0 else None,
        neighbours=len(ranked),
    )
