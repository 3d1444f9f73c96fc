"""Studies, the catalogue and risk reports: stored whole, replaced whole."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import pytest
from sqlalchemy.exc import IntegrityError

from chandlery.market.symbols import AssetClass
from chandlery.store.research import ReportRecord, StudyRecord, save_report, save_strategies, save_study
from chandlery.store.universe import register_instrument
from chandlery.store.warehouse import Warehouse

Ask = Callable[..., list[tuple[Any, ...]]]

DAYS = [datetime(2024, 1, day, 5, tzinfo=UTC) for day in (2, 3, 4)]
EVALUATED = [{"seq": place, "params": {"fast": place}, "metrics": {"score": None}} for place in range(4)]
CURVE = [{"ts": day, "equity": 1.0 + place, "benchmark": 1.0} for place, day in enumerate(DAYS)]
TRADE = {
    "seq": 0,
    "entry_ts": DAYS[0],
    "exit_ts": None,
    "entry_price": 10.0,
    "exit_price": None,
    "net_return": None,
}
REPORT = ReportRecord("r1", "Balanced", date(2024, 1, 4), {"nav": 1.5}, "<p>1</p>", "ok", "0.1.0", "run-1")


@pytest.fixture(scope="module")
def study(warehouse: Warehouse) -> StudyRecord:
    with warehouse.write() as connection:
        instrument = register_instrument(
            connection, symbol="AAPL", asset_class=AssetClass.STOCKS, calendar="NYSE", name=None, source="wiki"
        )
    return StudyRecord(
        study_id="s1",
        strategy="sma_cross",
        strategy_version=1,
        definition_hash="d",
        instrument_id=instrument.instrument_id,
        timeframe="1d",
        panel_id="p",
        first_ts=DAYS[0],
        last_ts=DAYS[-1],
        bars=3,
        method="grid",
        objective="bar_sharpe",
        trials=4,
        seed=7,
        best_params={"fast": 3},
        metrics={"sharpe": 0.5, "psr": None},
        verdict="no edge",
        source="wiki",
        code_version="0.1.0",
        run_id=None,
    )


def counts(ask: Ask, warehouse: Warehouse) -> dict[str, int]:
    tables = ("studies", "evaluations", "equity", "trades")
    return {name: ask(warehouse, f"select count(*) from research.{name}")[0][0] for name in tables}


def test_study_is_stored_with_all_that_belongs_to_it(warehouse: Warehouse, study: StudyRecord, ask: Ask) -> None:
    save_study(warehouse, study, evaluated=EVALUATED, curve=CURVE, traded=[TRADE])
    assert counts(ask, warehouse) == {"studies": 1, "evaluations": 4, "equity": 3, "trades": 1}
    stored = ask(warehouse, "select best_params, metrics, seed, first_ts, verdict from research.studies")
    assert stored == [({"fast": 3}, {"sharpe": 0.5, "psr": None}, 7, DAYS[0], "no edge")]


def test_same_study_again_replaces_all_of_it(warehouse: Warehouse, study: StudyRecord, ask: Ask) -> None:
    save_study(warehouse, study, evaluated=EVALUATED, curve=CURVE, traded=[TRADE])
    save_study(warehouse, replace(study, verdict="an edge"), evaluated=EVALUATED[:2], curve=CURVE[:1], traded=[])
    assert counts(ask, warehouse) == {"studies": 1, "evaluations": 2, "equity": 1, "trades": 0}
    assert ask(warehouse, "select verdict from research.studies") == [("an edge",)]


def test_study_that_cannot_be_stored_leaves_the_earlier_one(warehouse: Warehouse, study: StudyRecord, ask: Ask) -> None:
    save_study(warehouse, study, evaluated=EVALUATED, curve=CURVE, traded=[TRADE])
    with pytest.raises(IntegrityError):
        save_study(warehouse, study, evaluated=EVALUATED, curve=[CURVE[0], CURVE[0]], traded=[])
    assert counts(ask, warehouse) == {"studies": 1, "evaluations": 4, "equity": 3, "trades": 1}


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
