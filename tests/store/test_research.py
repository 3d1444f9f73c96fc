"""The catalogue and risk reports: stored whole, replaced whole."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from typing import Any

from chandlery.store.research import ReportRecord, save_report, save_strategies
from chandlery.store.warehouse import Warehouse

Ask = Callable[..., list[tuple[Any, ...]]]

REPORT = ReportRecord("r1", "Balanced", date(2024, 1, 4), {"nav": 1.5}, "<p>1</p>", "ok", "0.1.0", "run-1")


def test_catalogue_equals_what_was_saved_last(warehouse: Warehouse, ask: Ask) -> None:
    rows = [
        {
            "strategy": name,
            "version": 1,
            "family": "trend",
            "title": name,
            "definition_hash": "h",
            "definition": {"a": 1},
        }
        for name in ("a", "b", "c")
    ]
    save_strategies(warehouse, rows)
    save_strategies(warehouse, [{**rows[1], "version": 2}])
    assert ask(warehouse, "select strategy, version, definition from research.strategies") == [("b", 2, {"a": 1})]


def test_report_made_again_replaces_its_content(warehouse: Warehouse, ask: Ask) -> None:
    save_report(warehouse, REPORT)
    save_report(warehouse, replace(REPORT, html="<p>2</p>", limit_state="hard", run_id="run-2"))
    save_report(warehouse, replace(REPORT, report_id="r2"))
    stored = ask(
        warehouse, "select report_id, html, limit_state, run_id, payload from research.risk_reports order by 1"
    )
    assert stored == [
        ("r1", "<p>2</p>", "hard", "run-2", {"nav": 1.5}),
        ("r2", "<p>1</p>", "ok", "run-1", {"nav": 1.5}),
    ]
