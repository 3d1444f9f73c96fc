"""The series behind the charts."""

import numpy as np

from chandlery.measures.wealth import drawdowns, wealth
from chandlery.reports.risk.evaluation import HEADLINE_VAR_LEVEL, Evaluation
from chandlery.reports.risk.schema import BacktestSeries, Series
from chandlery.risk.history import Sessions


def series(evaluation: Evaluation) -> Series:
    """Return growth of 1 and drawdown of the hypothetical history, and the backtest of `hs` at 99 %.

    Empty lists when the history is empty or lost more than everything in one period.
    """
    returns = evaluation.history.returns
    path, depth = wealth(returns), drawdowns(returns)
    drawable = path is not None and depth is not None and bool(np.isfinite(path).all() and np.isfinite(depth).all())
    return {
        "sessions": _iso(evaluation.history.sessions) if drawable else [],
        "equity": path.tolist() if path is not None and drawable else [],
        "drawdown": depth.tolist() if depth is not None and drawable else [],
        "backtest": _backtest(evaluation),
    }


def _backtest(evaluation: Evaluation) -> BacktestSeries | None:
    for backtest in evaluation.backtests:
        if (backtest.model_id, backtest.level) == ("hs", HEADLINE_VAR_LEVEL) and backtest.test is not None:
            return {
                "model": backtest.model_id,
                "level": backtest.level,
                "sessions": _iso(evaluation.history.sessions[backtest.positions]),
                "returns": evaluation.history.returns[backtest.positions].tolist(),
                "var": backtest.forecasts.tolist(),
            }
    return None


def _iso(sessions: Sessions) -> list[str]:
    return [str(day) for day in np.datetime_as_string(sessions, unit="D")]
