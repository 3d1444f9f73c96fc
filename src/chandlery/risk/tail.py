"""One entry of the model registry: a forecast of tomorrow's loss, with its guards."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from chandlery.errors import InvalidInput
from chandlery.measures import Measured, Returns, Status, known, unknown
from chandlery.measures.measure import is_flat

FEWEST_TAIL_VAR = 2.5
"""VaR needs n a >= 2.5: 250 observations at 99 %, 50 at 95 %."""

FEWEST_TAIL_ES = 5.0
"""ES needs n a >= 5: 500 observations at 99 %, 200 at 97.5 %, 100 at 95 %."""

_SLACK = 1e-9
"""`100 * 0.07` is 7.000000000000001; without this slack its ceiling is 8."""


@dataclass(frozen=True, slots=True)
class TailRisk:
    """VaR and ES of one model at one level: positive losses, fractions of NAV (negative: a gain even there)."""

    var: Measured
    es: Measured


@dataclass(frozen=True, slots=True)
class VarModel:
    """A model of next period's loss.

    Attributes:
        model_id: the word of the field, as in reports and tables.
        formula: the definition as printed in reports.
        minimum: fewest observations the model itself needs, beside those the tail needs.
        compute: (finite returns [n], tail probability a) -> (VaR, ES), or the status that says why not.
    """

    model_id: str
    formula: str
    minimum: int
    compute: Callable[[Returns, float], tuple[float, float] | Status]

    def __call__(self, returns: Returns, *, level: float) -> TailRisk:
        """Forecast VaR and ES at confidence `level` (0.99) from `returns` [n], oldest first.

        NaN or infinite returns answer `missing_input`, too few observations `insufficient`, a flat series
        `zero_variance`. ES may lack a value where VaR has one.

        Raises:
            InvalidInput: when `level` is not within (0.5, 1) or `returns` has not one dimension.
        """
        tail = tail_of(level)
        series = np.asarray(returns, dtype=np.float64)
        if series.ndim != 1:
            raise InvalidInput(f"Returns had shape {series.shape}; a model takes one series.")
        n = series.size
        lack = self._lack(series, tail)
        if lack is not None:
            return TailRisk(var=unknown(lack, n=n), es=unknown(lack, n=n))
        with np.errstate(over="ignore", invalid="ignore"):
            answer = self.compute(series, tail)
        if isinstance(answer, Status):
            return TailRisk(var=unknown(answer, n=n), es=unknown(answer, n=n))
        enough = n * tail >= FEWEST_TAIL_ES - _SLACK
        es = known(answer[1], n=n) if enough else unknown(Status.INSUFFICIENT, n=n)
        return TailRisk(var=known(answer[0], n=n), es=es)

    def _lack(self, series: Returns, tail: float) -> Status | None:
        if not np.isfinite(series).all():
            return Status.MISSING_INPUT
        if series.size < max(self.minimum, 2) or series.size * tail < FEWEST_TAIL_VAR - _SLACK:
            return Status.INSUFFICIENT
        return Status.ZERO_VARIANCE if is_flat(float(series.std(ddof=1)), series) else None


def tail_of(level: float) -> float:
    """Return the tail probability a = 1 - level, rounded to 12 digits so that 1 - 0.99 is 0.01.

    Raises:
        InvalidInput: when `level` is not within (0.5, 1).
    """
    if not 0.5 < level < 1.0:
        raise InvalidInput(f"Level was {level}; a confidence level lies within (0.5, 1), e.g. 0.99.")
    return round(1.0 - level, 12)


def tail_count(n: int, *, tail: float) -> int:
    """Return k = ceil(n a - 1e-9), the number of observations in the tail; at least 1."""
    return max(1, math.ceil(n * tail - _SLACK))
