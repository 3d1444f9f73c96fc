"""Rows of the report's tables."""

import math
from collections.abc import Mapping

from chandlery.measures import MEASURES, Measured
from chandlery.reports.risk.evaluation import HEADLINE_ES_LEVEL, Evaluation
from chandlery.reports.risk.schema import BacktestRow, ContributorRow, Figure, LimitRow, MetricRow, VarRow
from chandlery.risk.backtest import Backtest
from chandlery.risk.components import component_es
from chandlery.risk.limits import LimitState

_SCALED_BY_ROOT = frozenset({"vol", "downside_dev", "sharpe", "sortino"})
"""Measures scaled by sqrt(P), which supposes that returns do not depend on the day before."""


def figure(measured: Measured) -> Figure:
    """Return a measured value as it stands in JSON."""
    return {"value": measured.value, "status": measured.status.value, "n": measured.n}


def is_autocorrelated(evaluation: Evaluation) -> bool:
    """Return whether |autocorr_1| > 1.96 / sqrt(n)."""
    first = evaluation.metrics["autocorr_1"]
    return first.value is not None and abs(first.value) > 1.96 / math.sqrt(first.n)


def metric_rows(evaluation: Evaluation) -> list[MetricRow]:
    """Return one row per measure, in registry order."""
    doubted = _SCALED_BY_ROOT if is_autocorrelated(evaluation) else frozenset()
    return [
        {
            "id": name,
            "group": MEASURES[name].group,
            "unit": MEASURES[name].unit,
            "value": item.value,
            "status": item.status.value,
            "n": item.n,
            "flags": ["autocorrelated"] if name in doubted and item.value is not None else [],
        }
        for name, item in evaluation.metrics.items()
    ]


def var_rows(evaluation: Evaluation) -> list[VarRow]:
    """Return one row per model and level, with amounts at the present NAV."""
    nav = evaluation.book.nav.value
    return [
        {
            "model": model,
            "level": level,
            "var": figure(tail.var),
            "es": figure(tail.es),
            "var_amount": _amount(tail.var.value, nav),
            "es_amount": _amount(tail.es.value, nav),
        }
        for (model, level), tail in evaluation.tails.items()
    ]


def backtest_rows(evaluation: Evaluation) -> list[BacktestRow]:
    """Return one row per backtest."""
    return [_backtest_row(backtest) for backtest in evaluation.backtests]


def _backtest_row(backtest: Backtest) -> BacktestRow:
    test = backtest.test
    return {
        "model": backtest.model_id,
        "level": backtest.level,
        "status": backtest.status.value,
        "window": backtest.window,
        "n": int(backtest.positions.size),
        "exceptions": test.exceptions if test else None,
        "expected": test.expected if test else None,
        "zone": test.zone if test else None,
        "pof_lr": test.lr if test else None,
        "pof_p_chi2": test.p_chi2 if test else None,
        "pof_p_exact": test.p_exact if test else None,
        "verdict": backtest.verdict,
    }


def limit_rows(evaluation: Evaluation) -> list[LimitRow]:
    """Return one row per limit, in the portfolio's order."""
    return [_limit_row(state) for state in evaluation.limits]


def _limit_row(state: LimitState) -> LimitRow:
    limit = state.limit
    return {
        "limit_id": limit.limit_id,
        "metric": limit.metric,
        "value": state.value,
        "utilisation": state.utilisation,
        "state": state.state,
        "soft": limit.soft,
        "hard": limit.hard,
        "unit": limit.unit,
        "severity": limit.severity,
        "on_breach": limit.on_breach,
    }


def contributor_rows(evaluation: Evaluation, *, sources: Mapping[str, str]) -> list[ContributorRow]:
    """Return every position, largest part of the ES 97.5 % first, then by size and symbol."""
    book = evaluation.book
    parts = _components(evaluation)
    total = sum(parts.values())
    rows: list[ContributorRow] = []
    for place, symbol in enumerate(book.symbols):
        part = parts.get(symbol)
        rows.append(
            {
                "symbol": symbol,
                "source": sources.get(symbol, "none"),
                "quantity": float(book.quantities[place]),
                "price": _finite(book.prices[place]),
                "value": _finite(book.values[place]),
                "weight": _finite(book.weights[place]),
                "day_pnl": _finite(evaluation.day_moves[place]),
                "component_es": part,
                "share_of_es": part / total if part is not None and total > 0.0 else None,
            }
        )
    return sorted(rows, key=lambda row: (-(row["component_es"] or 0.0), -abs(row["value"] or 0.0), row["symbol"]))


def _components(evaluation: Evaluation) -> dict[str, float]:
    if evaluation.tails["hs", HEADLINE_ES_LEVEL].es.value is None:
        return {}
    contributions = evaluation.history.contributions[-evaluation.window.size :]
    parts = component_es(contributions, returns=evaluation.window, level=HEADLINE_ES_LEVEL)
    excluded = set(evaluation.history.excluded)
    symbols = evaluation.book.symbols
    return {symbol: float(part) for symbol, part in zip(symbols, parts, strict=True) if symbol not in excluded}


def _amount(share: float | None, nav: float | None) -> float | None:
    return None if share is None or nav is None else share * nav


def _finite(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None
