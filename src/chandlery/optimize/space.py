"""The search space: the lattice of a strategy, its points, its ranges as asked for, its Optuna distributions."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from optuna.distributions import BaseDistribution, FloatDistribution, IntDistribution

from chandlery.errors import BadParameters, EmptySpace, InvalidInput, ResearchError
from chandlery.strategies import Int, Parameter, Strategy, allowed_rows
from chandlery.strategies.scalars import columns_of, evaluate
from chandlery.strategies.validation import describe

Numbers = NDArray[np.int64]

_CHUNK = 65_536
_COUNTED_UP_TO = 1_000_000
_WALKED_UP_TO = 5_000_000
_LARGEST = 2**62
_DRAWS_PER_RADIUS = 16


@dataclass(frozen=True, slots=True, eq=False)
class Space:
    """The lattice of one strategy.

    Points are numbered row-major: the last parameter varies fastest. A point has coordinates (steps from `lo`
    per parameter), values, and a place in the unit cube (logarithmic parameters on a logarithmic scale);
    candidate rows are values in the strategy's order. `axes` are the parameters as searched: the strategy's own,
    or narrower ones (see `narrowed`).
    """

    strategy: Strategy
    axes: Mapping[str, Parameter] = field(default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "axes", {**self.strategy.params, **self.axes})

    def narrowed(self, ranges: Mapping[str, tuple[float, float, float]]) -> "Space":
        """Return the space with `(lo, hi, step)` in place of the range of the named parameters.

        A range lies within that of the strategy; its step is free, so a range may also be walked more finely.
        `hi` falls to the last whole step.

        Raises:
            InvalidInput: for an unknown parameter, a range outside the strategy's, a step that is not above 0,
                or a lattice of more than 2^62 points.
            EmptySpace: for a `lo` above `hi`.
        """
        narrower = {name: _narrowed(self.strategy, name, given) for name, given in ranges.items()}
        space = Space(self.strategy, {**self.axes, **narrower})
        if space.size > _LARGEST:
            raise InvalidInput(f"These ranges span {space.size:.1e} points; take wider steps (at most 4e18 points).")
        return space

    @property
    def shape(self) -> tuple[int, ...]:
        """Lattice values per parameter."""
        return tuple(parameter.points for parameter in self.axes.values())

    @property
    def size(self) -> int:
        """Number of points, constraints not considered."""
        return math.prod(self.shape)

    @property
    def dimensions(self) -> int:
        """Number of parameters."""
        return len(self.axes)

    def require_points(self) -> None:
        """Refuse a space without a point.

        A lattice of more than five million points is judged by 65,536 seeded draws.

        Raises:
            EmptySpace: naming the constraint that rejects most points.
        """
        if self.is_feasible(self.number_of(self.strategy.defaults)):
            return
        if self.size <= _WALKED_UP_TO:
            if any(found.size for found in self.walk(_CHUNK)):
                return
            numbers, looked_at = np.arange(min(self.size, _CHUNK)), f"{self.size}"
        else:
            units = np.random.default_rng(0).random((_CHUNK, self.dimensions))
            numbers, looked_at = self.snap(units), f"{_CHUNK} drawn of {self.size:.1e}"
            if self.allowed(numbers).any():
                return
        raise EmptySpace(
            f"No point of the lattice of {self.strategy.name} ({looked_at} looked at) is within its constraints; "
            f"{self._worst_constraint(numbers)}. Widen the ranges it names."
        )

    def feasible(self, *, limit: int) -> Numbers | None:
        """Return the numbers of all points within the constraints, ascending; None if they are more than `limit`.

        A lattice of more than a million points is not counted and answers None.
        """
        if self.size > _COUNTED_UP_TO:
            return None
        found, count = [], 0
        for numbers in self.walk(_CHUNK):
            found.append(numbers)
            count += numbers.size
            if count > limit:
                return None
        return np.concatenate(found) if found else np.empty(0, dtype=np.int64)

    def walk(self, size: int) -> Iterator[Numbers]:
        """Yield the numbers of all points within the constraints, ascending, `size` at a time."""
        held = np.empty(0, dtype=np.int64)
        for start in range(0, self.size, _CHUNK):
            numbers = np.arange(start, min(start + _CHUNK, self.size))
            held = np.concatenate([held, numbers[self.allowed(numbers)]])
            while held.size >= size:
                yield held[:size]
                held = held[size:]
        if held.size:
            yield held

    def allowed(self, numbers: Numbers) -> NDArray[np.bool_]:
        """Return, per point, whether the constraints hold."""
        if not self.strategy.constraints:
            return np.ones(numbers.size, dtype=np.bool_)
        return allowed_rows(self.strategy, self.rows(numbers))

    def is_feasible(self, number: int) -> bool:
        """Return whether a point is within the constraints."""
        return bool(self.allowed(np.array([number]))[0])

    def coordinates(self, numbers: Numbers) -> Numbers:
        """Return the coordinates `[points, parameters]` of lattice points."""
        if not self.shape:
            return np.empty((numbers.size, 0), dtype=np.int64)
        return np.stack(np.unravel_index(numbers, self.shape), axis=1).astype(np.int64, copy=False)

    def numbers(self, coordinates: Numbers) -> Numbers:
        """Return the lattice points at `coordinates` `[points, parameters]`, clipped to the lattice."""
        if not self.shape:
            return np.zeros(coordinates.shape[0], dtype=np.int64)
        inside = np.clip(coordinates, 0, np.array(self.shape) - 1)
        return np.asarray(np.ravel_multi_index(tuple(inside.T), self.shape), dtype=np.int64)

    def rows(self, numbers: Numbers) -> NDArray[np.float64]:
        """Return the candidate rows `[points, parameters]` of lattice points."""
        at = self.coordinates(numbers)
        rows = np.empty(at.shape)
        for index, parameter in enumerate(self.axes.values()):
            rows[:, index] = _values(parameter)[at[:, index]]
        return rows

    def snap(self, units: NDArray[np.float64]) -> Numbers:
        """Return the lattice points of places in the unit cube `[points, parameters]`; every cell counts the same.

        A cell of a logarithmic parameter is as wide as its value's share of the logarithmic range.
        """
        at = np.empty(units.shape, dtype=np.int64)
        for index, parameter in enumerate(self.axes.values()):
            column = np.clip(units[:, index], 0.0, 1.0)
            if parameter.log and parameter.points > 1:
                value = parameter.lo * (parameter.hi / parameter.lo) ** column
                at[:, index] = np.rint((value - parameter.lo) / parameter.step)
            else:
                at[:, index] = np.floor(column * parameter.points)
        return self.numbers(at)

    def units(self, numbers: Numbers) -> NDArray[np.float64]:
        """Return a place in the unit cube `[points, parameters]` of each lattice point: `snap` takes it back."""
        at = self.coordinates(numbers)
        units = np.empty(at.shape)
        for index, parameter in enumerate(self.axes.values()):
            if parameter.log and parameter.points > 1:
                units[:, index] = np.log(_values(parameter)[at[:, index]] / parameter.lo)
                units[:, index] /= math.log(parameter.hi / parameter.lo)
            else:
                units[:, index] = (at[:, index] + 0.5) / parameter.points
        return units

    def number_of(self, values: Mapping[str, float]) -> int:
        """Return the number of the lattice point nearest to `values`."""
        steps = [
            int(np.clip(round((values[name] - parameter.lo) / parameter.step), 0, parameter.points - 1))
            for name, parameter in self.axes.items()
        ]
        return int(np.ravel_multi_index(tuple(steps), self.shape)) if steps else 0

    def values_at(self, number: int) -> dict[str, float | int]:
        """Return the parameter values of one point, whole numbers as int."""
        coordinates = np.unravel_index(number, self.shape) if self.shape else ()
        named = zip(self.axes.items(), coordinates, strict=True)
        return {name: parameter.value_at(int(at)) for (name, parameter), at in named}

    def distributions(self) -> dict[str, BaseDistribution]:
        """Return the Optuna distribution per parameter; a logarithmic one has no step, its values still do."""
        return {name: _distribution(parameter) for name, parameter in self.axes.items()}

    def neighbours(self, number: int, *, steps: int) -> Numbers:
        """Return the points within the constraints at most `steps` lattice steps from one (the sum over parameters).

        Ascending, the point itself left out.
        """
        if not self.shape:
            return np.empty(0, dtype=np.int64)
        at = self.coordinates(np.array([number]))[0] + _offsets(self.dimensions, steps)
        at = at[((at >= 0) & (at < np.array(self.shape))).all(axis=1)]
        found = np.unique(self.numbers(at))
        kept: Numbers = found[(found != number) & self.allowed(found)]
        return kept

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
        centre, widest = self.coordinates(np.array([number])), max(self.shape, default=0)
        radius = 1
        while radius < 2 * widest:
            offsets = draw.integers(-radius, radius + 1, size=(_DRAWS_PER_RADIUS, self.dimensions))
            found = self.numbers(centre + offsets)
            for candidate in found[self.allowed(found)].tolist():
                if candidate not in taken:
                    return int(candidate)
            radius *= 2
        for numbers in self.walk(_CHUNK):
            for candidate in numbers.tolist():
                if candidate not in taken:
                    return int(candidate)
        raise ResearchError(
            f"{self.strategy.name} has only {len(taken)} points within its constraints; ask for that many trials."
        )

    def _worst_constraint(self, numbers: Numbers) -> str:
        columns = columns_of(self.strategy.param_names, self.rows(numbers))
        rejected = {
            describe(constraint): int((~evaluate(constraint, columns).astype(np.bool_)).sum())
            for constraint in self.strategy.constraints
        }
        worst = max(rejected, key=lambda text: rejected[text])
        return f"{worst} rejects {rejected[worst]} of {numbers.size}"


@lru_cache(maxsize=256)
def _values(parameter: Parameter) -> NDArray[np.float64]:
    values = np.array([parameter.value_at(index) for index in range(parameter.points)], dtype=np.float64)
    values.flags.writeable = False
    return values


@lru_cache(maxsize=64)
def _offsets(dimensions: int, steps: int) -> Numbers:
    """Return every whole offset `[offsets, dimensions]` whose absolute values sum to at most `steps`."""
    offsets = np.zeros((1, dimensions), dtype=np.int64)
    unit = np.concatenate([np.eye(dimensions, dtype=np.int64), -np.eye(dimensions, dtype=np.int64)])
    for _ in range(steps):
        offsets = np.unique(np.concatenate([offsets, (offsets[:, None] + unit).reshape(-1, dimensions)]), axis=0)
    return offsets


def _narrowed(strategy: Strategy, name: str, given: tuple[float, float, float]) -> Parameter:
    if name not in strategy.params:
        known = ", ".join(strategy.params) or "none"
        raise InvalidInput(f"{strategy.name} has no parameter {name!r} to give a range to; it has {known}.")
    declared, (lo, hi, step) = strategy.params[name], given
    if not (all(math.isfinite(number) for number in given) and step > 0):
        raise InvalidInput(f"The range of {name} was {lo}, {hi}, {step}; give finite lo, hi and a step above 0.")
    if lo > hi:
        raise EmptySpace(f"The range of {name} was {lo} to {hi}: no value is in it. Give lo <= hi.")
    if lo < declared.lo or hi > declared.hi:
        raise InvalidInput(f"The range of {name} was {lo} to {hi}; it lies within {declared.lo} to {declared.hi}.")
    if isinstance(declared, Int) and any(number != int(number) for number in given):
        raise InvalidInput(f"The range of {name} was {lo}, {hi}, {step}; {name} takes whole numbers.")
    steps = math.floor((hi - lo) / step + 1e-9)
    nearest = min(max(round((declared.default - lo) / step), 0), steps)
    last, default = round(lo + steps * step, 12), round(lo + nearest * step, 12)
    try:
        if isinstance(declared, Int):
            return replace(declared, lo=int(lo), hi=int(last), step=int(step), default=int(default))
        return replace(declared, lo=float(lo), hi=float(last), step=float(step), default=float(default))
    except BadParameters as error:
        raise InvalidInput(f"The range of {name} was {lo}, {hi}, {step}: {error}") from error


def _distribution(parameter: Parameter) -> BaseDistribution:
    if isinstance(parameter, Int):
        if parameter.log:
            return IntDistribution(parameter.lo, parameter.hi, log=True)
        return IntDistribution(parameter.lo, parameter.hi, step=parameter.step)
    if parameter.log:
        return FloatDistribution(parameter.lo, parameter.hi, log=True)
    return FloatDistribution(parameter.lo, parameter.hi, step=parameter.step)
