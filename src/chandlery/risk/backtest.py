"""Rolling backtest of a VaR model on a return series."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from chandlery.errors import InvalidInput
from chandlery.measures import Returns, Status
from chandlery.risk.exceptions import ExceptionTest, count_exceptions
from chandlery.risk.tail import FEWEST_TAIL_VAR, VarModel, tail_of

Verdict = Literal["pass", "watch", "fail"]


@dataclass(frozen=True, slots=True, eq=False)
class Backtest:
    """Forecasts of one model at one level against what happened.

    Attributes:
        model_id: the model.
        level: confidence, 0.99.
        window: returns behind each forecast.
        status: `ok`; `insufficient` when the history is too short; the model's own status when it could not
            forecast some day. Without `ok` there is no test and no verdict.
        positions: index into the returns of each day forecast [n].
        forecasts: VaR forecast for those days [n], positive loss, fraction.
        exceptions: whether the loss exceeded the forecast, strictly [n].
        test: Kupiec, exact p and Basel zone, or None.
        verdict: `fail` = red or exact p < 0.0001; `watch` = yellow or p < 0.05; else `pass`; None without test.
    """

    model_id: str
    level: float
    window: int
    status: Status
    positions: NDArray[np.int64]
    forecasts: Returns
    exceptions: NDArray[np.bool_]
    test: ExceptionTest | None
    verdict: Verdict | None


def backtest_var(returns: Returns, *, model: VarModel, level: float, window: int, days: int) -> Backtest:
    """Forecast each of the last `days` of `returns` [n] from the `window` returns before it and compare.

    The forecast for t uses returns up to t-1 only. With fewer than window + days returns the days with a full
    window are tested; when those are too few for the tail (days x a < 2.5) the answer is `insufficient`.

    Raises:
        InvalidInput: when window or days is not positive or `level` is not within (0.5, 1).
    """
    if window < 1 or days < 1:
        raise InvalidInput(f"Window was {window}, days {days}; both must be positive.")
    tail = tail_of(level)
    first = max(window, returns.size - days)
    positions = np.arange(first, returns.size, dtype=np.int64)
    if positions.size * tail < FEWEST_TAIL_VAR - 1e-9:
        return _without_test(model, level=level, window=window, status=Status.INSUFFICIENT)
    forecasts = np.empty(positions.size)
    for place, day in enumerate(positions):
        var = model(returns[day - window : day], level=level).var
        if var.value is None:
            return _without_test(model, level=level, window=window, status=var.status)
        forecasts[place] = var.value
    exceptions = returns[positions] < -forecasts
    test = count_exceptions(int(exceptions.sum()), n=positions.size, tail=tail)
    return Backtest(model.model_id, level, window, Status.OK, positions, forecasts, exceptions, test, decide(test))


def decide(test: ExceptionTest) -> Verdict:
    """Return the verdict on a model by Basel zone and exact p."""
    if test.zone == "red" or test.p_exact < 0.0001:
        return "fail"
    return "watch" if test.zone == "yellow" or test.p_exact < 0.05 else "pass"


def _without_test(model: VarModel, *, level: float, window: int, status: Status) -> Backtest:
    nothing = np.empty(0)
    return Backtest(
        model_id=model.model_id,
        level=level,
        window=window,
        status=status,
        positions=nothing.astype(np.int64),
        forecasts=nothing,
        exceptions=nothing.astype(np.bool_),
        test=None,
        verdict=None,
    )
