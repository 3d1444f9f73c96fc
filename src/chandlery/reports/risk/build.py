"""Inputs in, document out."""

from dataclasses import asdict
from typing import cast

from chandlery.portfolio import Portfolio
from chandlery.reports.canonical import canonical, digest
from chandlery.reports.risk.definitions import definition_rows
from chandlery.reports.risk.evaluation import (
    HEADLINE_ES_LEVEL,
    HEADLINE_VAR_LEVEL,
    Evaluation,
    evaluate,
)
from chandlery.reports.risk.gaps import gap_rows, grade
from chandlery.reports.risk.inputs import DEFAULT_PARAMETERS, HeldPanel, RiskInputs, RiskParameters
from chandlery.reports.risk.schema import SCHEMA_VERSION, Lineage, PortfolioBlock, RiskReport, Summary
from chandlery.reports.risk.series import series
from chandlery.reports.risk.tables import (
    backtest_rows,
    contributor_rows,
    figure,
    limit_rows,
    metric_rows,
    var_rows,
)

_SIGNIFICANCE = 0.05


def build_risk_report(inputs: RiskInputs, *, parameters: RiskParameters = DEFAULT_PARAMETERS) -> RiskReport:
    """Return the risk report of `inputs` in the shape of `RiskReport`; equal inputs give equal documents.

    Floats carry 10 significant digits. `report_id` is the SHA-256 of the canonical JSON of the inputs (portfolio,
    limits, as_of, prices, versions, parameters), so restated prices make a new report. The order of symbols and
    positions does not matter, nor do prices after `as_of` or of symbols not held.
    """
    evaluation = evaluate(inputs, parameters)
    portfolio = _portfolio(inputs.portfolio)
    lineage = _lineage(inputs, parameters, panel=evaluation.panel)
    identity = {
        "schema_version": SCHEMA_VERSION,
        "portfolio": portfolio,
        "as_of": inputs.as_of.isoformat(),
        "currency": inputs.portfolio.currency,
        "limits": [asdict(limit) for limit in inputs.portfolio.limits],
        "lineage": lineage,
    }
    report: RiskReport = {
        "schema_version": SCHEMA_VERSION,
        "report_id": digest(identity),
        "portfolio": portfolio,
        "as_of": inputs.as_of.isoformat(),
        "currency": inputs.portfolio.currency,
        "lineage": lineage,
        "summary": _summary(evaluation, sources=lineage["sources"]),
        "metrics": metric_rows(evaluation),
        "var": var_rows(evaluation),
        "backtests": backtest_rows(evaluation),
        "limits": limit_rows(evaluation),
        "contributors": contributor_rows(evaluation, sources=lineage["sources"]),
        "series": series(evaluation),
        "gaps": gap_rows(evaluation, portfolio=inputs.portfolio),
        "definitions": definition_rows(),
    }
    return cast("RiskReport", canonical(report))


def _portfolio(portfolio: Portfolio) -> PortfolioBlock:
    held = sorted(portfolio.positions, key=lambda position: position.symbol)
    return {
        "name": portfolio.name,
        "cash": portfolio.cash,
        "benchmark": portfolio.benchmark,
        "positions": [{"symbol": position.symbol, "quantity": position.quantity} for position in held],
    }


def _lineage(inputs: RiskInputs, parameters: RiskParameters, *, panel: HeldPanel) -> Lineage:
    return {
        "code_version": inputs.code_version,
        "data_versions": dict(sorted(inputs.data_versions.items())),
        "sources": {symbol: inputs.sources[symbol] for symbol in panel.symbols if symbol in inputs.sources},
        "prices_sha256": panel.sha256(),
        "first_session": str(panel.sessions[0]),
        "last_session": str(panel.sessions[-1]),
        "sessions": int(panel.sessions.size),
        "seed": inputs.seed,
        "parameters": {
            "periods_per_year": parameters.periods_per_year,
            "risk_free": parameters.risk_free,
            "mar": parameters.mar,
            "levels": list(parameters.levels),
            "window": parameters.window,
            "backtest_days": parameters.backtest_days,
            "history_sessions": parameters.history_sessions,
        },
    }


def _summary(evaluation: Evaluation, *, sources: dict[str, str]) -> Summary:
    book, metrics = evaluation.book, evaluation.metrics
    letter, reason = grade(evaluation)
    states = [state.state for state in evaluation.limits]
    tests = sum(backtest.test is not None for backtest in evaluation.backtests)
    return {
        "nav": figure(book.nav),
        "gross": figure(book.gross),
        "net": figure(book.net),
        "leverage": figure(book.leverage),
        "concentration": figure(book.concentration),
        "day_pnl": figure(evaluation.day_pnl),
        "day_return": figure(evaluation.day_return),
        "var99": figure(evaluation.tails["hs", HEADLINE_VAR_LEVEL].var),
        "es975": figure(evaluation.tails["hs", HEADLINE_ES_LEVEL].es),
        "dd_now": figure(metrics["dd_now"]),
        "dd_max": figure(metrics["dd_max"]),
        "vol": figure(metrics["vol"]),
        "sharpe": figure(metrics["sharpe"]),
        "hit_rate": figure(metrics["hit_rate"]),
        "positions": len(book.symbols),
        "limits_hard": states.count("hard"),
        "limits_soft": states.count("soft"),
        "limits_unknown": states.count("unknown"),
        "backtest_tests": tests,
        "false_alarms_expected": tests * _SIGNIFICANCE,
        "coverage": evaluation.history.coverage,
        "grade": letter,
        "grade_reason": reason,
        "simulated": sorted(symbol for symbol, source in sources.items() if "simulated" in source.lower()),
    }
