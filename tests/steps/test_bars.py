"""Ingest: every window in full or not at all, whatever the source does."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import polars as pl
import pytest

from chandlery.errors import BadPayload, Blocked, InvalidInput, NotEntitled, NotFound, RateLimited, Unavailable
from chandlery.market.timeframes import Timeframe
from chandlery.steps.bars import IngestReceipt, ingest_bars, parse_span
from chandlery.steps.calendar import build_calendar
from chandlery.steps.quality import standing_findings, standing_windows
from chandlery.steps.universe import sync_universe
from chandlery.store.warehouse import Warehouse

Ask = Callable[..., list[tuple[Any, ...]]]
Minutes = Callable[..., pl.DataFrame]

MONDAY, TUESDAY = date(2024, 1, 8), date(2024, 1, 9)
WEDNESDAY, SATURDAY = date(2024, 1, 10), date(2024, 1, 13)
OPENING = datetime(2024, 1, 8, 14, 30, tzinfo=UTC)
MINUTES = Timeframe.M1


def prepare(source: Any, warehouse: Warehouse) -> None:
    sync_universe(source, warehouse, symbols=(), source_name="tape")
    build_calendar(warehouse, start=date(2023, 10, 1), end=date(2024, 2, 1))


def ingest(source: Any, warehouse: Warehouse, *symbols: str, **choices: Any) -> IngestReceipt:
    span = {"start": MONDAY, "end": SATURDAY, **choices}
    spans = dict.fromkeys(symbols, (span["start"], span["end"])) or None
    return ingest_bars(source, warehouse, **{"timeframe": MINUTES, "spans": spans, **span})


def counts(ask: Ask, warehouse: Warehouse) -> dict[str, int]:
    query = (
        "select ticker, count(*) from raw.massive__bars_1m join ops.instrument_tickers using (instrument_id) group by 1"
    )
    return dict(ask(warehouse, query))  # type: ignore[arg-type]


def windows(ask: Ask, warehouse: Warehouse, columns: str) -> list[tuple[Any, ...]]:
    tables = "ops.ingest_windows join ops.instrument_tickers using (instrument_id)"
    return ask(warehouse, f"select ticker, {columns} from {tables} order by ticker, start_session")


def with_bad_bar(frame: pl.DataFrame, *places: int) -> pl.DataFrame:
    """Return the frame with the high of some bars below their body."""
    bad = pl.int_range(pl.len()).is_in(places)
    return frame.with_columns(high=pl.when(bad).then(pl.col("close") - 0.25).otherwise(pl.col("high")))


@pytest.fixture
def two(source_of: Any, minutes_of: Minutes, fresh: Warehouse) -> Any:
    """A source with two sessions of two stocks, whose universe is in the database."""
    frame = pl.concat([minutes_of(MONDAY), minutes_of(TUESDAY)])
    source = source_of({("AAPL", MINUTES): frame, ("MSFT", MINUTES): frame}, symbols=("AAPL", "MSFT"), dropped=1)
    prepare(source, fresh)
    return source


def test_sound_bars_are_published_and_counted(two: Any, fresh: Warehouse, ask: Ask) -> None:
    receipt = ingest(two, fresh, end=WEDNESDAY, run_id="run-1")
    assert counts(ask, fresh) == {"AAPL": 780, "MSFT": 780}
    assert [receipt.total(figure) for figure in ("windows", "rows_seen", "rows_new", "rows_revised", "rows_held")] == [
        2, 1560, 1560, 0, 0,
    ]  # fmt: skip
    assert [(item.symbol, item.windows, item.rows_new, item.source) for item in receipt.symbols] == [
        ("AAPL", 1, 780, "tape"),
        ("MSFT", 1, 780, "tape"),
    ]
    assert (receipt.pages, receipt.requests, receipt.rows_dropped, receipt.findings) == (4, 6, 2, 0)
    assert receipt.blocked == ()
    assert receipt.plot.startswith("<svg")
    assert windows(ask, fresh, "status, rows_seen, rows_new, rows_dropped, pages, run_id") == [
        ("AAPL", "published", 780, 780, 1, 2, "run-1"),
        ("MSFT", "published", 780, 780, 1, 2, "run-1"),
    ]


def test_receipt_shows_the_verdict_of_great_expectations(two: Any, fresh: Warehouse) -> None:
    two.frames["MSFT", MINUTES] = with_bad_bar(two.frames["MSFT", MINUTES], 5)
    contract = {item.name: item for item in ingest(two, fresh).contract}
    covers = contract["high_covers_body"]
    assert (covers.batches, covers.unexpected, covers.first) == (2, 1, OPENING + timedelta(minutes=5))
    assert {item.unexpected for name, item in contract.items() if name != "high_covers_body"} == {0}


def test_stored_bars_are_the_sources_own(two: Any, fresh: Warehouse, ask: Ask) -> None:
    ingest(two, fresh, "AAPL")
    stored = ask(
        fresh, "select ts, open, high, low, close, volume, vwap, trade_count from raw.massive__bars_1m order by ts"
    )
    assert stored == two.frames["AAPL", MINUTES].rows()


def test_repeated_ingest_writes_nothing(two: Any, fresh: Warehouse, ask: Ask) -> None:
    ingest(two, fresh)
    before = ask(fresh, "select ctid, xmin, instrument_id, ts from raw.massive__bars_1m order by 3, 4")
    again = ingest(two, fresh)
    assert [again.total(figure) for figure in ("rows_seen", "rows_new", "rows_revised")] == [1560, 0, 0]
    assert ask(fresh, "select ctid, xmin, instrument_id, ts from raw.massive__bars_1m order by 3, 4") == before


def test_revised_bar_is_counted_and_stored(two: Any, fresh: Warehouse, ask: Ask) -> None:
    ingest(two, fresh, "AAPL")
    first = pl.col("ts") == OPENING
    two.frames["AAPL", MINUTES] = two.frames["AAPL", MINUTES].with_columns(
        volume=pl.when(first).then(5.0).otherwise(pl.col("volume"))
    )
    receipt = ingest(two, fresh, "AAPL")
    assert (receipt.total("rows_new"), receipt.total("rows_revised")) == (0, 1)
    assert ask(fresh, "select min(volume) from raw.massive__bars_1m") == [(5.0,)]


def test_failing_symbol_does_not_hold_back_the_others(two: Any, fresh: Warehouse, ask: Ask) -> None:
    two.failures["AAPL"] = NotEntitled("the plan lacks AAPL")
    with pytest.raises(NotEntitled, match=r"AAPL could not be ingested: the plan lacks AAPL.* 1 windows"):
        ingest(two, fresh)
    assert counts(ask, fresh) == {"MSFT": 780}
    assert windows(ask, fresh, "status, error_code") == [
        ("AAPL", "failed", "not_entitled"),
        ("MSFT", "published", None),
    ]


def test_first_failure_is_raised_and_the_others_are_named(two: Any, fresh: Warehouse) -> None:
    two.failures |= {"AAPL": BadPayload("no bars but a poem"), "MSFT": NotEntitled("no")}
    with pytest.raises(BadPayload, match=r"AAPL.*a poem.*So did MSFT\."):
        ingest(two, fresh)


@pytest.mark.parametrize("failure", [Unavailable("down"), RateLimited("slower")])
def test_source_that_is_down_is_not_asked_again(two: Any, fresh: Warehouse, ask: Ask, failure: Any) -> None:
    two.failures["AAPL"] = failure
    with pytest.raises(type(failure), match="AAPL"):
        ingest(two, fresh)
    assert [symbol for symbol, *_ in two.asked] == ["AAPL"]
    assert windows(ask, fresh, "status, error_code") == [("AAPL", "failed", failure.code), ("MSFT", "planned", None)]


def test_rerun_after_a_failure_brings_in_the_rest(two: Any, fresh: Warehouse, ask: Ask) -> None:
    two.failures["AAPL"] = Unavailable("down")
    with pytest.raises(Unavailable):
        ingest(two, fresh)
    two.failures.clear()
    assert ingest(two, fresh).total("rows_new") == 1560
    assert windows(ask, fresh, "status, attempts, error_code") == [
        ("AAPL", "published", 2, None),
        ("MSFT", "published", 1, None),
    ]


def test_bad_bar_is_held_and_published_around(two: Any, fresh: Warehouse, ask: Ask) -> None:
    two.frames["AAPL", MINUTES] = with_bad_bar(two.frames["AAPL", MINUTES], 7)
    receipt = ingest(two, fresh, "AAPL", end=WEDNESDAY)
    assert (receipt.total("rows_new"), receipt.total("rows_held"), receipt.findings) == (779, 1, 1)
    place = OPENING + timedelta(minutes=7)
    assert ask(fresh, "select ts, seq, rules from raw.massive__quarantine") == [(place, 7, ["high_covers_body"])]
    assert ask(fresh, "select ts, session, rule, severity, state from ops.findings") == [
        (place, MONDAY, "high_covers_body", "critical", "open")
    ]
    assert windows(ask, fresh, "status, rows_held") == [("AAPL", "published", 1)]


def test_bar_without_a_close_is_held_by_both_judges(two: Any, fresh: Warehouse, ask: Ask) -> None:
    missing = pl.when(pl.col("ts") == OPENING).then(None).otherwise(pl.col("close"))
    two.frames["AAPL", MINUTES] = two.frames["AAPL", MINUTES].with_columns(close=missing)
    ingest(two, fresh, "AAPL")
    stored = ask(fresh, "select close, rules from raw.massive__quarantine")
    assert stored == [(None, ["values_are_finite", "values_are_present"])]


def test_batch_nobody_can_believe_is_held_whole(two: Any, fresh: Warehouse, ask: Ask) -> None:
    two.frames["AAPL", MINUTES] = with_bad_bar(two.frames["AAPL", MINUTES], *range(100))
    receipt = ingest(two, fresh)
    assert receipt.blocked == ("AAPL 1m 2024-01-08 to 2024-01-13",)
    assert [(item.symbol, item.rows_new, item.rows_held) for item in receipt.symbols] == [
        ("AAPL", 0, 780),
        ("MSFT", 780, 0),
    ]
    assert counts(ask, fresh) == {"MSFT": 780}
    assert ask(fresh, "select rules, count(*) from raw.massive__quarantine group by 1 order by 2") == [
        (["high_covers_body"], 100),
        (["batch_is_blocked"], 680),
    ]


def test_ingest_of_which_all_is_held_is_an_error(two: Any, fresh: Warehouse, ask: Ask) -> None:
    two.frames["AAPL", MINUTES] = with_bad_bar(two.frames["AAPL", MINUTES], *range(100))
    with pytest.raises(Blocked, match=r"AAPL 1m 2024-01-08 to 2024-01-13.*ops\.findings"):
        ingest(two, fresh, "AAPL")
    assert counts(ask, fresh) == {}
    assert windows(ask, fresh, "status") == [("AAPL", "quarantined")]


def test_incomplete_session_passes_the_gate(source_of: Any, minutes_of: Minutes, fresh: Warehouse, ask: Ask) -> None:
    # What is missing is told when the published series is judged: one batch knows no habit and no listing date.
    frame = pl.concat([minutes_of(MONDAY, count=100), *(minutes_of(MONDAY + timedelta(days=n)) for n in range(1, 5))])
    source = source_of({("AAPL", MINUTES): frame}, symbols=("AAPL",))
    prepare(source, fresh)
    receipt = ingest(source, fresh)
    assert (receipt.total("rows_new"), receipt.total("rows_held"), receipt.findings) == (100 + 4 * 390, 0, 0)
    assert ask(fresh, "select rule from ops.findings") == []


def test_span_without_sessions_asks_nobody(two: Any, fresh: Warehouse, ask: Ask) -> None:
    receipt = ingest(two, fresh, start=SATURDAY, end=SATURDAY + timedelta(days=2))
    assert (two.asked, receipt.symbols, receipt.blocked) == ([], (), ())
    assert receipt.total("rows_seen") == 0
    assert windows(ask, fresh, "status") == []


def test_long_span_is_cut_into_windows_that_touch(two: Any, fresh: Warehouse, ask: Ask) -> None:
    # 2023-10-02 to 2024-01-12 has 72 sessions of New York; the 53rd is 2023-12-14 (Thanksgiving is closed).
    receipt = ingest(two, fresh, "AAPL", start=date(2023, 10, 1))
    assert [span for _, _, *span in two.asked] == [
        [date(2023, 10, 1), date(2023, 12, 14)],
        [date(2023, 12, 14), SATURDAY],
    ]
    assert receipt.total("windows") == 2
    assert windows(ask, fresh, "status") == [("AAPL", "empty_suspected"), ("AAPL", "published")]


def test_day_bars_go_to_their_own_table(source_of: Any, days_of: Any, fresh: Warehouse, ask: Ask) -> None:
    source = source_of({("AAPL", Timeframe.D1): days_of(1, MONDAY, SATURDAY)}, symbols=("AAPL",), name="wiki")
    prepare(source, fresh)
    receipt = ingest(source, fresh, timeframe=Timeframe.D1)
    assert (receipt.total("rows_new"), receipt.symbols[0].source) == (5, "wiki")
    assert ask(fresh, "select count(*), min(ts) from raw.massive__bars_1d") == [
        (5, datetime(2024, 1, 8, 5, tzinfo=UTC))
    ]


def test_symbol_that_is_not_tracked_is_not_found(two: Any, fresh: Warehouse) -> None:
    with pytest.raises(NotFound, match=r"GE is not tracked.*AAPL, MSFT"):
        ingest(two, fresh, "GE")


def test_reversed_span_is_refused(two: Any, fresh: Warehouse) -> None:
    with pytest.raises(InvalidInput, match="exclusive"):
        ingest(two, fresh, start=SATURDAY, end=MONDAY)
    assert two.asked == []


def test_each_symbol_keeps_to_its_own_span_within_the_runs(two: Any, fresh: Warehouse) -> None:
    wednesday, long_ago = date(2024, 1, 10), date(2000, 1, 1)
    receipt = ingest(
        two,
        fresh,
        spans={"AAPL": (TUESDAY, wednesday), "MSFT": (long_ago, TUESDAY)},
    )
    assert [(symbol, *span) for symbol, _, *span in two.asked] == [
        ("AAPL", TUESDAY, wednesday),
        ("MSFT", MONDAY, TUESDAY),
    ]
    assert [(item.symbol, item.rows_new) for item in receipt.symbols] == [("AAPL", 390), ("MSFT", 390)]


def test_symbol_whose_span_lies_outside_the_run_is_left_out(two: Any, fresh: Warehouse) -> None:
    receipt = ingest(two, fresh, spans={"AAPL": (MONDAY, TUESDAY), "MSFT": (SATURDAY, date(2024, 2, 1))})
    assert [item.symbol for item in receipt.symbols] == ["AAPL"]


def test_span_is_written_with_both_ends_included() -> None:
    assert parse_span("2024-01-08...2024-01-12") == (MONDAY, SATURDAY)
    assert parse_span("2024-01-08...2024-01-08") == (MONDAY, TUESDAY)


@pytest.mark.parametrize("text", ["", "2024-01-08", "2024-01-08..2024-01-09", "2024-01-09...2024-01-08", "a...b"])
def test_span_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput):
        parse_span(text)


def test_failed_and_held_windows_stand_until_a_rerun(two: Any, fresh: Warehouse) -> None:
    sound = two.frames["AAPL", MINUTES]
    two.frames["AAPL", MINUTES] = with_bad_bar(sound, *range(100))
    two.failures["MSFT"] = NotEntitled("no")
    with pytest.raises(NotEntitled):
        ingest(two, fresh)
    standing = standing_windows(fresh, "1m")
    assert standing.worries == 2
    assert [(row["symbol"], row["status"], row["error_code"]) for row in standing.rows] == [
        ("AAPL", "quarantined", "blocked"),
        ("MSFT", "failed", "not_entitled"),
    ]
    assert standing_windows(fresh, "1d").rows == ()
    two.failures.clear()
    two.frames["AAPL", MINUTES] = sound
    ingest(two, fresh)
    assert standing_windows(fresh, "1m").worries == 0


def test_failed_window_stands_no_longer_once_a_wider_one_brought_its_sessions(two: Any, fresh: Warehouse) -> None:
    two.failures["AAPL"] = NotEntitled("no")
    with pytest.raises(NotEntitled):
        ingest(two, fresh, "AAPL", end=TUESDAY)
    two.failures.clear()
    ingest(two, fresh, "AAPL", start=date(2024, 1, 3), end=SATURDAY)
    assert standing_windows(fresh, "1m").rows == ()


def test_open_findings_are_counted_by_rule_and_critical_ones_worry(two: Any, fresh: Warehouse) -> None:
    for symbol in ("AAPL", "MSFT"):
        two.frames[symbol, MINUTES] = with_bad_bar(two.frames[symbol, MINUTES], 3, 4)
    filler = pl.col("ts") == OPENING
    flat = [
        pl.when(filler).then(100.0).otherwise(pl.col(name)).alias(name) for name in ("open", "high", "low", "close")
    ]
    empty = [pl.when(filler).then(0.0).otherwise(pl.col("volume")).alias("volume")]
    count = [pl.when(filler).then(0).otherwise(pl.col("trade_count")).alias("trade_count")]
    two.frames["MSFT", MINUTES] = two.frames["MSFT", MINUTES].with_columns(*flat, *empty, *count)
    ingest(two, fresh, end=WEDNESDAY)
    standing = standing_findings(fresh)
    assert standing.rows == (
        {"rule": "high_covers_body", "severity": "critical", "verdict": "confirmed", "findings": 4, "instruments": 2},
        {"rule": "bar_is_no_filler", "severity": "minor", "verdict": "confirmed", "findings": 1, "instruments": 1},
    )
    assert standing.worries == 4


def test_bar_held_in_two_overlapping_windows_is_held_once(two: Any, fresh: Warehouse, ask: Ask) -> None:
    two.frames["AAPL", MINUTES] = with_bad_bar(two.frames["AAPL", MINUTES], 7)
    ingest(two, fresh, "AAPL")
    ingest(two, fresh, "AAPL", end=TUESDAY)
    assert ask(fresh, "select count(*) from raw.massive__quarantine") == [(1,)]


def test_bar_that_came_right_in_another_window_is_held_no_longer(two: Any, fresh: Warehouse, ask: Ask) -> None:
    sound = two.frames["AAPL", MINUTES]
    two.frames["AAPL", MINUTES] = with_bad_bar(sound, 7)
    ingest(two, fresh, "AAPL")
    two.frames["AAPL", MINUTES] = sound
    assert ingest(two, fresh, "AAPL", end=TUESDAY).total("rows_new") == 1
    assert ask(fresh, "select count(*) from raw.massive__quarantine") == [(0,)]
