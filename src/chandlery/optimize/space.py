"""The search space: the lattice of a strategy, its points and its Optuna distributions."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

import numpy as np
from numpy.typing import NDArray
from optuna.distributions import BaseDistribution, FloatDistribution, IntDistribution

from chandlery.errors import ResearchError
from chandlery.strategies import Int, Parameter, Strategy, allowed_rows, lattice_size

_CHUNK = 65_536
_COUNTED_UP_TO = 1_000_000
_DRAWS_PER_RADIUS = 16


@dataclass(frozen=True, slots=True, eq=False)
class Space:
    """The lattice of one strategy.

    Points are numbered row-major: the last parameter varies fastest. A point has coordinates (steps from `lo`
    per parameter) and values; candidate rows are values in the strategy's order.
    """

    strategy: Strategy

    @property
    def shape(self) -> tuple[int, ...]:
        """Lattice values per parameter."""
        return tuple(parameter.points for parameter in self.strategy.params.values())

    @property
    def size(self) -> int:
        """Number of points, constraints not considered."""
        return lattice_size(self.strategy)

    def feasible(self, *, limit: int) -> NDArray[np.int64] | None:
        """Return the numbers of all points within the constraints, ascending; None if they are more than `limit`.

        A lattice of more than a million points is not counted and answers None.
        """
        if self.size > _COUNTED_UP_TO:
            return None
        found = np.fromiter(islice(self._feasible_numbers(), limit + 1), dtype=np.int64)
        return found if found.size <= limit else None

    def rows(self, numbers: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return the candidate rows `[points, parameters]` of lattice points."""
        if not self.shape:
            return np.empty((numbers.size, 0))
        coordinates = np.unravel_index(numbers, self.shape)
        columns = [_values(parameter)[at] for parameter, at in zip(self._parameters(), coordinates, strict=True)]
        return np.stack(columns, axis=1)

    def number_of(self, values: dict[str, float]) -> int:
        """Return the number of the lattice point nearest to `values`."""
        steps = [
            int(np.clip(round((values[name] - parameter.lo) / parameter.step), 0, parameter.points - 1))
            for name, parameter in self.strategy.params.items()
        ]
        return int(np.ravel_multi_index(tuple(steps), self.shape)) if steps else 0

    def values_at(self, number: int) -> dict[str, float | int]:
        """Return the parameter values of one point, whole numbers as int."""
        coordinates = np.unravel_index(number, self.shape) if self.shape else ()
        named = zip(self.strategy.params.items(), coordinates, strict=True)
        return {name: parameter.value_at(int(at)) for (name, parameter), at in named}

    def distributions(self) -> dict[str, BaseDistribution]:
        """Return the Optuna distribution per parameter; a logarithmic one has no step, its values still do."""
        return {name: _distribution(parameter) for name, parameter in self.strategy.params.items()}

    def nearby(self, number: int, *, taken: set[int], seed: int) -> int:
        """Return `number`, or a point near it, that is within the constraints and not in `taken`.

        Searches boxes of growing radius with draws seeded by `seed`, then the whole lattice in order: equal
        arguments, equal answer.

        Raises:
            ResearchError: if every point within the constraints is taken.
        """
        if number not in taken and self.is_feasible(number):
            return number
        draw = np.random.default_rng(seed)
        centre, shape = np.array(np.unravel_index(number, self.shape)), np.array(self.shape)
        radius = 1
        while radius < 2 * shape.max():
            offsets = draw.integers(-radius, radius + 1, size=(_DRAWS_PER_RADIUS, shape.size))
            coordinates = np.clip(centre + offsets, 0, shape - 1)
            for candidate in np.ravel_multi_index(tuple(coordinates.T), self.shape).tolist():
                if candidate not in taken and self.is_feasible(candidate):
                    return int(candidate)
            radius *= 2
        for found in self._feasible_numbers():
            if found not in taken:
                return found
        raise ResearchError(
            f"{self.strategy.name} has only {len(taken)} points within its constraints; ask for that many trials."
        )

    def is_feasible(self, number: int) -> bool:
        """Return whether a point is within the constraints."""
        return bool(allowed_rows(self.strategy, self.rows(np.array([number])))[0])

    def _parameters(self) -> tuple[Parameter, ...]:
        return tuple(self.strategy.params.values())

    def _feasible_numbers(self) -> Iterator[int]:
        for start in range(0, self.size, _CHUNK):
            numbers = np.arange(start, min(start + _CHUNK, self.size))
            yield from numbers[allowed_rows(self.strategy, self.rows(numbers))].tolist()


def _values(parameter: Parameter) -> NDArray[np.float64]:
    return np.array([parameter.value_at(index) for index in range(parameter.points)], dtype=np.float64)


def _distribution(parameter: Parameter) -> BaseDistribution:
    if isinstance(parameter, Int):
        if parameter.log:
            return IntDistribution(parameter.lo, parameter.hi, log=True)
        return IntDistribution(parameter.lo, parameter.hi, step=parameter.step)
    if parameter.log:
        return FloatDistribution(parameter.lo, parameter.hi, log=True)
    return FloatDistribution(parameter.lo, parameter.hi, step=parameter.step)
