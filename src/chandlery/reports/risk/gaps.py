"""What the report does not state, and why; and the grade of its data."""

from collections import defaultdict

import numpy as np

from chandlery.measures import Status
from chandlery.portfolio import Portfolio
from chandlery.reports.risk.evaluation import Evaluation
from chandlery.reports.risk.schema import GapRow

_REASONS = {
    Status.INSUFFICIENT: "too few observations",
    Status.ZERO_VARIANCE: "the returns do not vary",
    Status.NO_LOSS: "a division by losses, and there were none",
    Status.MISSING_INPUT: "a price or return is missing",
    Status.NON_MONOTONE: "skew and kurtosis are too large: the Cornish-Fisher expansion is no quantile map",
    Status.INFEASIBLE: "the formula has no finite value for these returns",
}

_ALWAYS: tuple[GapRow, ...] = (
    {"item": "dividends", "reason": "prices are adjusted for splits only, so returns leave dividends out"},
    {
        "item": "actual P&L, month and year to date",
        "reason": "positions of today are known, earlier ones are not: the history is that of the present book",
    },
    {
        "item": "drawdown of the account",
        "reason": "no stored NAV: dd_now and R05 stand on the hypothetical history of the present book",
    },
    {
        "item": "backtest of ES; independence and size of exceptions",
        "reason": "the number of exceptions is tested, not their clustering or depth",
    },
    {"item": "stress losses and proposed weights", "reason": "not part of this schema version"},
)


def gap_rows(evaluation: Evaluation, *, portfolio: Portfolio) -> list[GapRow]:
    """Return what is missing because of these data, then what this report never states."""
    return [
        *_price_gaps(evaluation),
        *_history_gaps(evaluation),
        *_figure_gaps(evaluation),
        *_benchmark_gap(portfolio),
        *_ALWAYS,
    ]


def grade(evaluation: Evaluation) -> tuple[str, str]:
    """Return the data grade and its reason: A complete, B some days, C some assets, D no NAV or no history."""
    history = evaluation.history
    if evaluation.book.nav.value is None:
        return "D", "a position has no price at the as-of session"
    if history.returns.size == 0:
        return "D", "no return history for this book"
    if history.excluded:
        return "C", f"excluded for missing prices: {', '.join(history.excluded)}"
    if history.dropped_days or history.proxied_days:
        return "B", f"{history.dropped_days} days dropped, {history.proxied_days} days filled in part by the rest"
    return "A", "every position has a price on every session used"


def _price_gaps(evaluation: Evaluation) -> list[GapRow]:
    book = evaluation.book
    pairs = zip(book.symbols, book.values, strict=True)
    return [
        {"item": f"value of {symbol}", "reason": "no price at the as-of session; NAV and its shares are unknown"}
        for symbol, value in pairs
        if np.isnan(value)
    ]


def _history_gaps(evaluation: Evaluation) -> list[GapRow]:
    history, rows = evaluation.history, list[GapRow]()
    if history.excluded:
        rows.append(
            {
                "item": f"returns of {', '.join(history.excluded)}",
                "reason": "more than 5 % of recent prices are missing; they count as moving like the rest of the book",
            }
        )
    if history.dropped_days:
        reason = "more than 5 % of the gross exposure had no return on them; no old price was filled in"
        rows.append({"item": f"{history.dropped_days} days of history", "reason": reason})
    if history.proxied_days:
        reason = "at most 5 % of the gross exposure had no return on them and counts as moving like the rest"
        rows.append({"item": f"part of {history.proxied_days} days of history", "reason": reason})
    if history.returns.size and history.sessions[-1] != evaluation.panel.sessions[-1]:
        rows.append(
            {"item": "return of the as-of session", "reason": f"missing; the history ends {history.sessions[-1]}"}
        )
    return rows


def _figure_gaps(evaluation: Evaluation) -> list[GapRow]:
    lacking: dict[Status, list[str]] = defaultdict(list)
    for name, item in evaluation.metrics.items():
        if item.value is None:
            lacking[item.status].append(name)
    for (model, level), tail in evaluation.tails.items():
        for word, item in (("VaR", tail.var), ("ES", tail.es)):
            if item.value is None:
                lacking[item.status].append(f"{model} {word} {level:.1%}")
    for backtest in evaluation.backtests:
        if backtest.test is None:
            lacking[backtest.status].append(f"backtest of {backtest.model_id} {backtest.level:.1%}")
    rows: list[GapRow] = [
        {"item": ", ".join(names), "reason": _REASONS[status]} for status, names in sorted(lacking.items())
    ]
    unknown = [state.limit.limit_id for state in evaluation.limits if state.state == "unknown"]
    if unknown:
        rows.append({"item": f"limits {', '.join(unknown)}", "reason": "the metric has no value; state unknown"})
    return rows


def _benchmark_gap(portfolio: Portfolio) -> list[GapRow]:
    if portfolio.benchmark is None:
        return []
    reason = f"{portfolio.benchmark} is recorded; beta, alpha and tracking error are not part of this schema version"
    return [{"item": "benchmark measures", "reason": reason}]
