"""One entry of the registry: a formula, its words and its guards."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from chandlery.errors import InvalidInput
from chandlery.measures.measured import Measured, Status, known, unknown

Returns = NDArray[np.float64]
"""Simple returns per period as fractions, oldest first, one dimension."""

NOISE = 1e-12
"""Share of the largest absolute return under which a dispersion counts as float noise, not risk."""


@dataclass(frozen=True, slots=True)
class Convention:
    """How per-period figures become annual ones.

    Attributes:
        periods_per_year: 252 for US equities, 365 for crypto, 52 weekly, 12 monthly.
        risk_free: risk-free return per period, fraction.
        mar: minimum acceptable return per period, fraction.
    """

    periods_per_year: float
    risk_free: float = 0.0
    mar: float = 0.0

    def __post_init__(self) -> None:
        if not (np.isfinite([self.periods_per_year, self.risk_free, self.mar]).all() and self.periods_per_year > 0):
            raise InvalidInput(f"Convention was {self}; all must be finite and periods_per_year positive.")


@dataclass(frozen=True, slots=True)
class Measure:
    """A measure of one return series.

    Attributes:
        measure_id: the word of the field, as in reports and tables.
        group: return, dispersion, drawdown or ratio.
        unit: `fraction` (0.01 is one percent), `fraction_pa`, `ratio` or `periods`.
        formula: the definition as printed in reports.
        minimum: fewest observations for a value.
        compute: the formula on finite returns of at least `minimum` observations.
    """

    measure_id: str
    group: Literal["return", "dispersion", "drawdown", "ratio"]
    unit: Literal["fraction", "fraction_pa", "ratio", "periods"]
    formula: str
    minimum: int
    compute: Callable[[Returns, Convention], float | Status]

    def __call__(
        self, returns: Returns, *, periods_per_year: float, risk_free: float = 0.0, mar: float = 0.0
    ) -> Measured:
        """Measure `returns` [n].

        NaN or infinite returns answer `missing_input`: what to do about a gap is decided before, not here.

        Raises:
            InvalidInput: when `returns` has not one dimension or the convention is not finite.
        """
        convention = Convention(periods_per_year=periods_per_year, risk_free=risk_free, mar=mar)
        series = np.asarray(returns, dtype=np.float64)
        if series.ndim != 1:
            raise InvalidInput(f"Returns had shape {series.shape}; a measure takes one series.")
        if not np.isfinite(series).all():
            return unknown(Status.MISSING_INPUT, n=int(np.isfinite(series).sum()))
        n = series.size
        if n < self.minimum:
            return unknown(Status.INSUFFICIENT, n=n)
        # An overflow ends as `infeasible`, which says more than a warning.
        with np.errstate(over="ignore", invalid="ignore"):
            answer = self.compute(series, convention)
        return unknown(answer, n=n) if isinstance(answer, Status) else known(answer, n=n)


def is_flat(dispersion: float, returns: Returns) -> bool:
    """Return whether a dispersion of `returns` is float noise (`<= 1e-12 max |r|`)."""
    return bool(dispersion <= NOISE * np.abs(returns).max())
