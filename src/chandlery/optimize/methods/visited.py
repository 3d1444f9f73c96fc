"""What a search has asked for already, and what it learned."""

import numpy as np

from chandlery.optimize.methods.plan import Floats, Numbers, Plan

_ROUNDS = 8
_LISTED_UP_TO = 5_000_000


class Visited:
    """The points a search asked for and their scores; it hands out points that are within the constraints and new."""

    def __init__(self, plan: Plan) -> None:
        """Begin with nothing visited."""
        self._plan = plan
        self._scores: dict[int, Floats] = {}
        self._unknown = np.full(plan.objectives, np.nan)

    @property
    def remaining(self) -> int:
        """Points the budget still allows."""
        return self._plan.budget - len(self._scores)

    def keep(self, numbers: Numbers, scores: Floats) -> None:
        """Remember the scores `[n, objectives]` of points."""
        self._scores.update(zip(numbers.tolist(), scores, strict=True))

    def fresh(self, numbers: Numbers) -> Numbers:
        """Return those of `numbers` that are new and within the constraints, in order, as the budget allows."""
        fresh = [number for number in dict.fromkeys(numbers.tolist()) if number not in self._scores]
        found = np.array(fresh, dtype=np.int64)
        return found[self._plan.space.allowed(found)][: self.remaining]

    def scores_of(self, numbers: Numbers) -> Floats:
        """Return the scores `[n, objectives]` of points, NaN for those never evaluated."""
        found = [self._scores.get(number, self._unknown) for number in numbers.tolist()]
        return np.array(found).reshape(numbers.size, self._plan.objectives)

    def default(self) -> Numbers:
        """Return the point nearest to the default parameters, if it is within the constraints."""
        return self.fresh(np.array([self._plan.space.number_of(self._plan.space.strategy.defaults)]))

    def others(self, count: int, draw: np.random.Generator) -> Numbers:
        """Return `count` new points drawn at random, fewer only if there are no more (or the budget ends).

        Of a space of more than five million points that almost none of which is within the constraints, fewer may
        be found.
        """
        space, count = self._plan.space, min(count, self.remaining)
        found = np.empty(0, dtype=np.int64)
        for _ in range(_ROUNDS):
            drawn = self.fresh(space.snap(draw.random((max(64, 2 * count), space.dimensions))))
            found = np.concatenate([found, np.setdiff1d(drawn, found, assume_unique=True)])[:count]
            if found.size == count:
                return found
        if space.size > _LISTED_UP_TO:
            return found
        left = [self.fresh(np.setdiff1d(numbers, found)) for numbers in space.walk(65_536)]
        rest = draw.permutation(np.concatenate(left)) if left else found[:0]
        return np.concatenate([found, rest])[:count]
