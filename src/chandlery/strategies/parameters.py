"""Parameters: numbers with a default, a range and a step, so that every search space is a finite lattice."""

import math
from dataclasses import dataclass

from chandlery.errors import BadParameters


@dataclass(frozen=True, slots=True, kw_only=True)
class Int:
    """A whole number, `lo <= value <= hi`; the lattice is `lo, lo + step, ... hi`.

    `log` says that the search should draw small values as often as large ones.

    Raises:
        BadParameters: if range, step and default do not fit together.
    """

    default: int
    lo: int
    hi: int
    step: int = 1
    log: bool = False

    def __post_init__(self) -> None:
        _check(self)

    @property
    def points(self) -> int:
        """Number of lattice values."""
        return (self.hi - self.lo) // self.step + 1

    def value_at(self, index: int) -> int:
        """Return lattice value number `index`, counted from 0 at `lo`."""
        return self.lo + index * self.step


@dataclass(frozen=True, slots=True, kw_only=True)
class Float:
    """A number, `lo <= value <= hi`; the lattice is `lo, lo + step, ... hi`, rounded to 12 decimals.

    `log` says that the search should draw small values as often as large ones.

    Raises:
        BadParameters: if range, step and default do not fit together.
    """

    default: float
    lo: float
    hi: float
    step: float
    log: bool = False

    def __post_init__(self) -> None:
        _check(self)

    @property
    def points(self) -> int:
        """Number of lattice values."""
        return round((self.hi - self.lo) / self.step) + 1

    def value_at(self, index: int) -> float:
        """Return lattice value number `index`, counted from 0 at `lo`."""
        return round(self.lo + index * self.step, 12)


Parameter = Int | Float


def _check(parameter: Parameter) -> None:
    lo, hi, step = parameter.lo, parameter.hi, parameter.step
    if not all(math.isfinite(number) for number in (lo, hi, step, parameter.default)):
        raise BadParameters(f"{parameter} has a bound, step or default that is not finite.")
    if not (step > 0 and lo <= hi):
        raise BadParameters(f"{parameter} needs lo <= hi and a step above 0.")
    if parameter.log and lo <= 0:
        raise BadParameters(f"{parameter} is logarithmic and needs lo above 0.")
    if not _on_grid(hi, lo=lo, step=step):
        raise BadParameters(f"{parameter}: hi is not lo plus a whole number of steps.")
    if not (lo <= parameter.default <= hi and _on_grid(parameter.default, lo=lo, step=step)):
        raise BadParameters(f"{parameter}: the default is not one of the lattice values.")


def _on_grid(value: float, *, lo: float, step: float) -> bool:
    steps = (value - lo) / step
    return abs(steps - round(steps)) < 1e-9
