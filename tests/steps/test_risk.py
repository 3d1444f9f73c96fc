"""The risk report of the default book and of a portfolio file, with its limits."""

import math
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from chandlery.errors import ConfigError, NotFound, NotMigrated
from chandlery.steps.risk import RiskReceipt, report_risk
from chandlery.store.warehouse import Warehouse

Ask = Callable[..., list[tuple[Any, ...]]]
LAST = date(2023, 12, 29)

_PORTFOLIO = """
name: Two legs
cash: 1000
positions:
  - {symbol: AAPL, quantity: 10}
  - {symbol: MSFT, quantity: -5}
limits:
  R03: {hard: %s}
"""


def report(warehouse: Warehouse, file: Path | None = None) -> RiskReceipt:
    return report_risk(warehouse, portfolio_file=file, window=250, run_id="run-1")


def figures(receipt: RiskReceipt) -> dict[str, Any]:
    return {str(row["figure"]): row["value"] for row in receipt.figures}


@pytest.fixture
def last_close(priced: Any) -> dict[str, float]:
    return {symbol: frame["close"][-1] for symbol, frame in priced.frames.items()}


def test_default_book_is_a_hundred_thousand_in_equal_weights(
    priced: Any, last_close: dict[str, float], ask: Ask
) -> None:
    receipt = report(priced.warehouse)
    assert (receipt.portfolio, receipt.as_of) == ("Equal weight", LAST)
    assert figures(receipt)["nav"] == pytest.approx(100_000.0)
    stored = ask(priced.warehouse, "select payload from research.risk_reports where report_id = %s", receipt.report_id)
    held = {row["symbol"]: row["quantity"] for row in stored[0][0]["portfolio"]["positions"]}
    assert held == {symbol: math.floor(20_000 / price) for symbol, price in last_close.items()}
    largest = max(quantity * last_close[symbol] for symbol, quantity in held.items())
    assert figures(receipt)["concentration"] == pytest.approx(largest / 100_000)


def test_book_within_its_limits_is_ok(priced: Any, ask: Ask) -> None:
    receipt = report(priced.warehouse)
    assert (receipt.hard, receipt.soft) == ((), ())
    assert [row["limit_id"] for row in receipt.limits] == ["R01", "R02", "R03", "R04", "R05"]
    query = "select limit_state, portfolio, as_of, run_id, html like '<!doctype html>%%' from research.risk_reports"
    stored = ask(priced.warehouse, f"{query} where report_id = %s", receipt.report_id)
    assert stored == [("ok", "Equal weight", LAST, "run-1", True)]


def test_report_made_twice_is_one_report(priced: Any, ask: Ask) -> None:
    first, second = report(priced.warehouse), report(priced.warehouse)
    assert first == second
    query = "select count(*) from research.risk_reports where report_id = %s"
    assert ask(priced.warehouse, query, first.report_id) == [(1,)]


def test_portfolio_file_is_valued_with_its_cash_and_shorts(
    priced: Any, last_close: dict[str, float], tmp_path: Path
) -> None:
    file = tmp_path / "book.yaml"
    file.write_text(_PORTFOLIO % "5.0")
    receipt = report(priced.warehouse, file)
    nav = 1000 + 10 * last_close["AAPL"] - 5 * last_close["MSFT"]
    assert receipt.portfolio == "Two legs"
    assert figures(receipt)["nav"] == pytest.approx(nav)
    gross = 10 * last_close["AAPL"] + 5 * last_close["MSFT"]
    assert figures(receipt)["leverage"] == pytest.approx(gross / nav)
    assert "R03" not in receipt.hard


def test_breached_hard_limit_is_reported_and_stored(priced: Any, tmp_path: Path, ask: Ask) -> None:
    file = tmp_path / "book.yaml"
    file.write_text(_PORTFOLIO % "0.05")
    receipt = report(priced.warehouse, file)
    assert receipt.hard == ("R03",)
    (row,) = (row for row in receipt.limits if row["limit_id"] == "R03")
    assert (row["hard"], row["state"]) == (0.05, "hard")
    stored = ask(
        priced.warehouse, "select limit_state from research.risk_reports where report_id = %s", receipt.report_id
    )
    assert stored == [("hard",)]


def test_position_without_prices_is_reported_as_missing_not_as_zero(priced: Any, tmp_path: Path) -> None:
    file = tmp_path / "book.yaml"
    file.write_text("name: Half known\npositions: [{symbol: AAPL, quantity: 1}, {symbol: TSLA, quantity: 1}]\n")
    receipt = report(priced.warehouse, file)
    assert figures(receipt)["nav"] is None
    assert {row["state"] for row in receipt.limits if row["metric"] == "leverage"} == {"unknown"}


def test_portfolio_file_with_faults_lists_them(priced: Any, tmp_path: Path) -> None:
    file = tmp_path / "book.yaml"
    file.write_text("name: Bad\npositions: [{symbol: AAPL, quantity: 0}]\ncolour: red\n")
    with pytest.raises(ConfigError, match=r"(?s)book\.yaml.*colour.*quantity"):
        report(priced.warehouse, file)
    with pytest.raises(ConfigError, match=r"absent\.yaml"):
        report(priced.warehouse, tmp_path / "absent.yaml")


def test_portfolio_of_unknown_symbols_needs_prices(priced: Any, tmp_path: Path) -> None:
    file = tmp_path / "book.yaml"
    file.write_text("name: Unknown\npositions: [{symbol: TSLA, quantity: 1}]\n")
    with pytest.raises(NotFound, match="needs daily prices"):
        report(priced.warehouse, file)


def test_universe_without_stocks_has_no_default_book(fresh: Warehouse) -> None:
    with pytest.raises(NotFound, match="needs daily prices"):
        report(fresh)


def test_prices_that_were_never_built_are_not_migrated(fresh: Warehouse, tmp_path: Path) -> None:
    file = tmp_path / "book.yaml"
    file.write_text("name: Early\npositions: [{symbol: AAPL, quantity: 1}]\n")
    with pytest.raises(NotMigrated, match="chandlery demo"):
        report(fresh, file)
