"""The catalogue and the studies: stored with their evidence, replaced by a rerun."""

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest

from chandlery.errors import InvalidInput, NotFound, ResearchError, UnknownStrategy
from chandlery.market.timeframes import Timeframe
from chandlery.settings import OptimizeSettings
from chandlery.steps.bars import ingest_bars
from chandlery.steps.calendar import build_calendar
from chandlery.steps.research import StudyReceipt, publish_catalogue, run_strategy_study, strategy_names
from chandlery.steps.universe import sync_universe
from chandlery.store.warehouse import Warehouse
from chandlery.strategies import all_strategies, definition_hash, from_json

Ask = Callable[..., list[tuple[Any, ...]]]
Tell = Callable[..., None]

CHOICES = OptimizeSettings.model_validate({"trials": 12, "seed": 3, "symbol": "AAPL", "fee_bps": 5, "slippage_bps": 0})


def study(warehouse: Warehouse, name: str = "rsi_revert", **changes: object) -> StudyReceipt:
    return run_strategy_study(warehouse, name, choices=CHOICES.model_copy(update=changes), run_id="run-1")


@pytest.fixture(scope="module")
def receipt(priced: Any) -> StudyReceipt:
    return study(priced.warehouse)


def test_catalogue_holds_every_strategy_once(warehouse: Warehouse, ask: Ask) -> None:
    rows = publish_catalogue(warehouse)
    assert publish_catalogue(warehouse) == rows
    assert [row["strategy"] for row in rows] == list(strategy_names()) == list(all_strategies())
    stored = ask(warehouse, "select strategy, definition_hash, definition::text from research.strategies order by 1")
    assert [(name, known) for name, known, _ in stored] == [
        (name, definition_hash(strategy)) for name, strategy in sorted(all_strategies().items())
    ]
    assert [definition_hash(from_json(text)) for _, _, text in stored] == [known for _, known, _ in stored]


def test_study_row_says_what_was_asked_and_of_what(priced: Any, receipt: StudyReceipt, ask: Ask) -> None:
    columns = "strategy, timeframe, method, trials, seed, source, run_id, bars, first_ts, last_ts, best_params"
    query = f"select {columns} from research.studies where study_id = %s"
    frame = priced.frames["AAPL"]
    assert ask(priced.warehouse, query, receipt.study_id) == [
        (
            *("rsi_revert", "1d", "tpe", 12, 3, "wiki", "run-1", frame.height, frame["ts"][0], frame["ts"][-1]),
            dict(receipt.best),
        )
    ]
    assert (receipt.symbol, receipt.trials, receipt.plot[:4]) == ("AAPL", 12, "<svg")


def test_study_keeps_every_candidate(priced: Any, receipt: StudyReceipt, ask: Ask) -> None:
    query = "select seq, params, metrics from research.evaluations where study_id = %s order by seq"
    rows = ask(priced.warehouse, query, receipt.study_id)
    assert [seq for seq, _, _ in rows] == list(range(12))
    assert {frozenset(params) for _, params, _ in rows} == {frozenset({"length", "oversold", "overbought"})}
    assert rows[0][1] == {"length": 14, "oversold": 30.0, "overbought": 70.0}
    scored = [(metrics["score"], params) for _, params, metrics in rows if metrics["score"] is not None]
    if scored:
        best = max(score for score, _ in scored)
        assert dict(receipt.best) in [p for score, p in scored if score == best]


def test_benchmark_is_the_price_bought_on_the_second_bar_and_held(priced: Any, receipt: StudyReceipt, ask: Ask) -> None:
    query = "select ts, equity, benchmark from research.equity where study_id = %s order by ts"
    rows = ask(priced.warehouse, query, receipt.study_id)
    bars = priced.frames["AAPL"]
    assert [ts for ts, _, _ in rows] == bars["ts"].to_list()
    assert (rows[0][1], rows[0][2]) == (1.0, 1.0)
    # Bought at the next bar's open for all the cash; the fee of 5 bps is paid on top of the price.
    shares = 1.0 / (bars["open"][1] * 1.0005)
    assert rows[-1][2] == pytest.approx(shares * bars["close"][-1], rel=1e-9)


def test_trades_are_told_with_their_net_return(priced: Any, receipt: StudyReceipt, ask: Ask) -> None:
    columns = "entry_ts, exit_ts, entry_price, exit_price, net_return"
    trades = ask(
        priced.warehouse, f"select {columns} from research.trades where study_id = %s order by seq", receipt.study_id
    )
    metrics = ask(priced.warehouse, "select metrics from research.studies where study_id = %s", receipt.study_id)[0][0]
    assert len([trade for trade in trades if trade[1] is not None]) == metrics["closed_trades"]
    opens = dict(priced.frames["AAPL"].select("ts", "open").iter_rows())
    for entered, left, bought, sold, earned in trades:
        assert bought == opens[entered]
        if left is not None:
            assert sold == opens[left]
            # 5 bps of the value on the way in and on the way out.
            assert earned == pytest.approx(sold * 0.9995 / (bought * 1.0005) - 1.0, rel=1e-9, abs=1e-12)


def test_rerun_replaces_its_own_result(priced: Any, receipt: StudyReceipt, ask: Ask) -> None:
    tables = ("studies", "evaluations", "equity", "trades")
    contents = [
        f"select md5(string_agg(t::text, '|' order by t::text)) from research.{name} as t" for name in tables[1:]
    ]
    before = [ask(priced.warehouse, query) for query in contents]
    again = study(priced.warehouse)
    assert again == receipt
    assert [ask(priced.warehouse, query) for query in contents] == before
    assert ask(priced.warehouse, "select count(*) from research.studies") == [(1,)]


def test_other_costs_are_another_study(priced: Any, receipt: StudyReceipt, tell: Tell) -> None:
    other = study(priced.warehouse, fee_bps=6.0, trials=2)
    tell(priced.warehouse, f"delete from research.studies where study_id = '{other.study_id}'")
    assert other.study_id != receipt.study_id


def test_unknown_strategy_is_answered_with_near_ones(priced: Any) -> None:
    with pytest.raises(UnknownStrategy, match="near matches are rsi_revert"):
        study(priced.warehouse, "rsi_reverts")


def test_symbol_that_is_not_tracked_is_not_found(priced: Any) -> None:
    with pytest.raises(NotFound, match="TSLA is not tracked"):
        study(priced.warehouse, symbol="TSLA")


def test_symbol_that_cannot_be_one_is_refused(priced: Any) -> None:
    with pytest.raises(InvalidInput, match="Symbol was"):
        study(priced.warehouse, symbol="no symbol")


def test_symbol_without_prices_says_what_to_ingest(priced: Any, tell: Tell) -> None:
    columns = "(instrument_id, asset_class, calendar) overriding system value"
    tell(
        priced.warehouse,
        f"insert into ops.instruments {columns} values (9001, 'stocks', 'NYSE')",
        "insert into ops.instrument_tickers values ('NEW', '1900-01-01', null, 9001, 'tape')",
    )
    try:
        with pytest.raises(NotFound, match="NEW has no daily prices"):
            study(priced.warehouse, symbol="NEW")
    finally:
        tell(
            priced.warehouse,
            "delete from ops.instrument_tickers where instrument_id = 9001",
            "delete from ops.instruments where instrument_id = 9001",
        )


def test_too_few_bars_for_any_candidate_is_a_research_error(fresh: Warehouse, source_of: Any, days_of: Any) -> None:
    start, end = date(2024, 1, 2), date(2024, 2, 1)
    source = source_of({("AAPL", Timeframe.D1): days_of(1, start, end)}, symbols=("AAPL",))
    sync_universe(source, fresh, symbols=(), source_name="tape")
    build_calendar(fresh, start=start, end=end)
    ingest_bars(source, fresh, timeframe=Timeframe.D1, start=start, end=end)
    with fresh.write() as connection:
        connection.exec_driver_sql(
            "create view marts.prices_daily as select 'AAPL' as symbol, ts::date as session, ts, open, high, low, "
            "close, volume, source from raw.massive__bars_1d join ops.ingests using (ingest_id)"
        )
    with pytest.raises(ResearchError, match="21 bars"):
        study(fresh, "sma_cross", trials=2)


def test_receipt_is_one_row_of_a_table(receipt: StudyReceipt) -> None:
    assert receipt.summary["strategy"] == "rsi_revert"
    assert receipt.summary["trials"] == 12
    assert receipt.summary["verdict"] == receipt.verdict
    assert str(receipt.summary["best"]).startswith("length ")
