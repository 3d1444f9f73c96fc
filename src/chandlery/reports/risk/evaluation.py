"""Everything a report states, computed once; the sections only lay it out."""

from dataclasses import dataclass

import numpy as np

from chandlery.measures import Measured, Returns, Status, known, measure_all, unknown
from chandlery.reports.risk.inputs import HeldPanel, RiskInputs, RiskParameters, held_panel
from chandlery.risk.backtest import Backtest, backtest_var
from chandlery.risk.book import Book, value_book
from chandlery.risk.history import History, hypothetical_history
from chandlery.risk.limits import LimitState, Metric, evaluate_limits
from chandlery.risk.models import VAR_MODELS
from chandlery.risk.tail import TailRisk

BACKTEST_LEVELS = (0.95, 0.99)
HEADLINE_VAR_LEVEL = 0.99
HEADLINE_ES_LEVEL = 0.975


@dataclass(frozen=True, slots=True, eq=False)
class Evaluation:
    """A book, its history and all figures of both.

    Attributes:
        panel: prices of the positions.
        book: the positions at as_of.
        day_moves: P&L of the last day by asset [assets], amount, NaN where a price is missing.
        day_pnl: their sum, amount.
        day_return: day_pnl / NAV of the session before.
        history: hypothetical returns of the book.
        window: the latest returns behind VaR and ES.
        metrics: measures of the history by id.
        tails: VaR and ES by (model, level).
        backtests: by model, then level.
        limits: in the portfolio's order.
    """

    panel: HeldPanel
    book: Book
    day_moves: Returns
    day_pnl: Measured
    day_return: Measured
    history: History
    window: Returns
    metrics: dict[str, Measured]
    tails: dict[tuple[str, float], TailRisk]
    backtests: tuple[Backtest, ...]
    limits: tuple[LimitState, ...]


def evaluate(inputs: RiskInputs, parameters: RiskParameters) -> Evaluation:
    """Value the book, rebuild its history and compute every figure of the report."""
    panel = held_panel(inputs, history_sessions=parameters.history_sessions)
    book = value_book(panel.symbols, quantities=panel.quantities, prices=panel.prices[-1], cash=inputs.portfolio.cash)
    history = hypothetical_history(
        book,
        prices=panel.prices,
        sessions=panel.sessions,
        recent=parameters.window + parameters.backtest_days + 1,
    )
    day_moves = _day_moves(panel)
    day_pnl = _day_pnl(day_moves, sessions=panel.sessions.size)
    window = history.returns[-parameters.window :]
    metrics = _metrics(history, parameters)
    return Evaluation(
        panel=panel,
        book=book,
        day_moves=day_moves,
        day_pnl=day_pnl,
        day_return=_day_return(day_pnl, nav=book.nav),
        history=history,
        window=window,
        metrics=metrics,
        tails=_tails(window, levels=parameters.levels, proxied=history.is_proxied),
        backtests=_backtests(history, parameters),
        limits=evaluate_limits(
            inputs.portfolio.limits, values=_limit_values(book, day_pnl=day_pnl, drawdown=metrics["dd_now"])
        ),
    )


def _day_moves(panel: HeldPanel) -> Returns:
    if panel.sessions.size < 2:
        return np.full(panel.quantities.size, np.nan)
    moves: Returns = panel.quantities * (panel.prices[-1] - panel.prices[-2])
    return moves


def _day_pnl(moves: Returns, *, sessions: int) -> Measured:
    n = int(np.isfinite(moves).sum())
    if sessions < 2:
        return unknown(Status.INSUFFICIENT, n=0)
    return known(float(moves.sum()), n=n) if n == moves.size else unknown(Status.MISSING_INPUT, n=n)


def _day_return(day_pnl: Measured, *, nav: Measured) -> Measured:
    if day_pnl.value is None:
        return day_pnl
    if nav.value is None:
        return nav
    before = nav.value - day_pnl.value
    return known(day_pnl.value / before, n=day_pnl.n) if before > 0.0 else unknown(Status.INFEASIBLE, n=day_pnl.n)


def _metrics(history: History, parameters: RiskParameters) -> dict[str, Measured]:
    measured = measure_all(
        history.returns,
        periods_per_year=parameters.periods_per_year,
        risk_free=parameters.risk_free,
        mar=parameters.mar,
    )
    return {name: item.proxied() if history.is_proxied else item for name, item in measured.items()}


def _tails(window: Returns, *, levels: tuple[float, ...], proxied: bool) -> dict[tuple[str, float], TailRisk]:
    wanted = sorted({*levels, HEADLINE_VAR_LEVEL, HEADLINE_ES_LEVEL})
    tails = {(name, level): model(window, level=level) for name, model in VAR_MODELS.items() for level in wanted}
    if not proxied:
        return tails
    return {key: TailRisk(var=tail.var.proxied(), es=tail.es.proxied()) for key, tail in tails.items()}


def _backtests(history: History, parameters: RiskParameters) -> tuple[Backtest, ...]:
    return tuple(
        backtest_var(history.returns, model=model, level=level, window=parameters.window, days=parameters.backtest_days)
        for model in VAR_MODELS.values()
        for level in BACKTEST_LEVELS
    )


def _limit_values(book: Book, *, day_pnl: Measured, drawdown: Measured) -> dict[Metric, float | None]:
    return {
        "position_value": book.position_value.value,
        "leverage": book.leverage.value,
        "concentration": book.concentration.value,
        "daily_loss": None if day_pnl.value is None else -day_pnl.value,
        "drawdown": None if drawdown.value is None else -drawdown.value,
    }
