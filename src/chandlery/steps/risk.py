"""Risk: value the portfolio on the latest session, measure it, check its limits, store the report."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from importlib.metadata import version
from pathlib import Path

import numpy as np
import polars as pl

from chandlery.errors import NotFound
from chandlery.log import get_logger
from chandlery.market.symbols import AssetClass
from chandlery.portfolio import Portfolio, equal_weight_book, load_portfolio
from chandlery.reports.preview import sparkline_svg
from chandlery.reports.risk import RiskInputs, RiskParameters, RiskReport, build_risk_report, render_html
from chandlery.store.candles import read_prices
from chandlery.store.publication import current_versions
from chandlery.store.research import ReportRecord, save_report
from chandlery.store.universe import tracked_instruments
from chandlery.store.warehouse import Warehouse

log = get_logger(__name__)

_HEADLINES = ("nav", "var99", "es975", "vol", "sharpe", "dd_now", "dd_max", "leverage", "concentration")


@dataclass(frozen=True, slots=True)
class RiskReceipt:
    """What the report says at a glance."""

    report_id: str
    portfolio: str
    as_of: date
    figures: tuple[Mapping[str, object], ...]
    limits: tuple[Mapping[str, object], ...]
    hard: tuple[str, ...]
    soft: tuple[str, ...]
    plot: str


def report_risk(warehouse: Warehouse, *, portfolio_file: Path | None, window: int, run_id: str | None) -> RiskReceipt:
    """Build and store the report of the portfolio as of the latest session its prices have.

    Without a file the portfolio is 100,000 in equal weights over all tracked stocks.

    Raises:
        ConfigError: the portfolio file is absent or wrong; every fault is listed.
        NotFound: there are no daily prices.
    """
    given = None if portfolio_file is None else load_portfolio(portfolio_file)
    symbols = _symbols(warehouse, given)
    prices = read_prices(warehouse, symbols) if symbols else pl.DataFrame()
    if prices.is_empty():
        raise NotFound("The risk report needs daily prices of the portfolio's symbols; none are there. Ingest bars.")
    panel = prices.pivot(on="symbol", index="session", values="close").sort("session")
    as_of: date = panel["session"][-1]
    portfolio = given or equal_weight_book(_last_prices(panel, symbols))
    inputs = RiskInputs(
        portfolio=portfolio,
        as_of=as_of,
        sessions=panel["session"].to_numpy(),
        prices=_matrix(panel, symbols),
        symbols=symbols,
        sources=_sources(prices, symbols),
        code_version=version("chandlery"),
        data_versions=current_versions(warehouse),
    )
    report = build_risk_report(inputs, parameters=RiskParameters(window=window))
    receipt = _receipt(report, as_of)
    state = "hard" if receipt.hard else "soft" if receipt.soft else "ok"
    save_report(
        warehouse,
        ReportRecord(
            report_id=receipt.report_id,
            portfolio=receipt.portfolio,
            as_of=as_of,
            payload=dict(report),
            html=render_html(report),
            limit_state=state,
            code_version=version("chandlery"),
            run_id=run_id,
        ),
    )
    log.info("risk_reported", portfolio=receipt.portfolio, as_of=str(as_of), limits=state)
    return receipt


def _symbols(warehouse: Warehouse, portfolio: Portfolio | None) -> tuple[str, ...]:
    if portfolio is not None:
        return tuple(sorted(position.symbol for position in portfolio.positions))
    with warehouse.read() as connection:
        tracked = tracked_instruments(connection)
    return tuple(item.symbol for item in tracked if item.asset_class is AssetClass.STOCKS)


def _last_prices(panel: pl.DataFrame, symbols: tuple[str, ...]) -> dict[str, float | None]:
    last = panel.row(panel.height - 1, named=True)
    return {symbol: last.get(symbol) for symbol in symbols}


def _matrix(panel: pl.DataFrame, symbols: tuple[str, ...]) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    missing = [pl.lit(None, dtype=pl.Float64).alias(symbol) for symbol in symbols if symbol not in panel.columns]
    columns = panel.with_columns(missing).select(symbols)
    return columns.select(pl.all().fill_null(float("nan"))).to_numpy()


def _sources(prices: pl.DataFrame, symbols: tuple[str, ...]) -> dict[str, str]:
    found = prices.group_by("symbol").agg(pl.col("source").unique().sort().str.join("+"))
    named = dict(found.iter_rows())
    return {symbol: named.get(symbol, "none") for symbol in symbols}


def _receipt(report: RiskReport, as_of: date) -> RiskReceipt:
    summary, states = report["summary"], report["limits"]
    figures = [{"figure": name, **_figure(summary[name])} for name in _HEADLINES]  # type: ignore[literal-required]
    rows = [
        {name: state[name] for name in ("limit_id", "metric", "value", "soft", "hard", "state")}  # type: ignore[literal-required]
        for state in states
    ]
    return RiskReceipt(
        report_id=report["report_id"],
        portfolio=report["portfolio"]["name"],
        as_of=as_of,
        figures=tuple(figures),
        limits=tuple(rows),
        hard=tuple(state["limit_id"] for state in states if state["state"] == "hard"),
        soft=tuple(state["limit_id"] for state in states if state["state"] == "soft"),
        plot=_drawdown(report),
    )


def _figure(figure: Mapping[str, object]) -> dict[str, object]:
    return {"value": figure["value"], "status": figure["status"], "n": figure["n"]}


def _drawdown(report: RiskReport) -> str:
    values = [value for value in report["series"]["drawdown"] if value is not None]
    return sparkline_svg(values, width=640, height=160)
