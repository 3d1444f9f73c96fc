"""Judging what is published: what has changed is judged, in full or not at all, and equal input writes nothing."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np
import polars as pl
import pytest
from judged_market import D1, DAYS, END, M1, NOW, QUALITY, START, Market, Spy
from polars.testing import assert_frame_equal
from series_views import clean_view, with_bars

from chandlery.errors import ConfigError, NotFound
from chandlery.market.actions import Action, ActionKind, Status
from chandlery.quality.sisters import sister_returns
from chandlery.settings import QualitySettings, Settings
from chandlery.steps.bars import Progress
from chandlery.steps.judging import checked_thresholds
from chandlery.steps.judging_keys import rule_files
from chandlery.steps.judging_plan import islands_of
from chandlery.steps.judging_venues import VenueInputs, missing_minutes, venue_islands, venue_view
from chandlery.steps.universe import sync_universe
from chandlery.store.actions import replace_actions
from chandlery.store.judging import read_ledger
from chandlery.store.universe import tracked_instruments
from chandlery.store.venue_views import calendar_sessions
from chandlery.store.witnesses import write_witness


def test_every_series_is_judged_and_told(market: Market) -> None:
    told: list[Progress] = []
    receipt = market.judge(progress=told.append)
    assert (receipt.series, receipt.sessions, receipt.bars) == (2, 2 * len(DAYS), 2 * len(DAYS))
    assert receipt.failures == ()
    assert receipt.failed_rules == {}
    assert receipt.bars_per_second == pytest.approx(receipt.bars / receipt.seconds)
    assert [(item.done, item.total) for item in told] == [(1, 2), (2, 2)]
    query = "select count(*), count(distinct instrument_id) from ops.judged_sessions"
    assert market.ask(market.warehouse, query) == [(2 * len(DAYS), 2)]


def test_what_has_not_changed_is_not_judged_and_nothing_is_written(market: Market) -> None:
    market.judge()
    before, spy = market.written(), Spy()
    assert market.judge(spy).sessions == 0
    assert spy.views == []
    assert market.written() == before


def test_judging_again_the_same_writes_nothing(market: Market) -> None:
    market.judge()
    before = market.written()
    receipt = market.judge(rejudge=True)
    assert receipt.sessions == 2 * len(DAYS)
    assert market.written() == before


def test_missing_session_is_found_and_repaired_when_it_comes(market: Market) -> None:
    whole = market.source.frames["AAPL", D1]
    gone = DAYS[100]
    market.source.frames["AAPL", D1] = whole.filter(
        pl.col("ts").dt.convert_time_zone("America/New_York").dt.date() != gone
    )
    query = 'select session, state from ops.findings where "check" = 8 and instrument_id = %s and window_id is null'
    number = market.number("AAPL")
    market.ingest()
    market.judge()
    assert market.ask(market.warehouse, query, number) == [(gone, "open")]
    market.source.frames["AAPL", D1] = whole
    market.ingest()
    market.judge()
    assert market.ask(market.warehouse, query, number) == [(gone, "repaired")]


def test_changed_bar_is_judged_with_the_sessions_that_hang_on_it(market: Market) -> None:
    market.judge()
    market.change("AAPL", DAYS[100], volume=12_345.0)
    spy = Spy()
    receipt = market.judge(spy)
    assert spy.spans() == [("AAPL", "1d", DAYS[95], DAYS[160])]
    assert receipt.sessions == 66
    (view,) = spy.views
    shown = view.bars["ts"].dt.convert_time_zone("America/New_York").dt.date().to_list()
    assert shown == DAYS[95 - 60 : 160 + 5 + 1], "60 sessions before, 5 after"
    assert view.sessions["session"].to_list() == shown
    assert view.asked.to_list() == DAYS[35:], "and later ones, as the series goes on"
    assert view.revisions.select("ts", "new_volume")["new_volume"].to_list() == [12_345.0]
    assert market.judge().sessions == 0


def test_other_thresholds_make_everything_due(market: Market) -> None:
    market.judge()
    assert market.judge(thresholds={"anything": 1.0}).sessions == 2 * len(DAYS)
    assert market.judge(thresholds={"anything": 1.0}).sessions == 0


def test_action_makes_the_sessions_it_touches_due(market: Market) -> None:
    market.judge()
    split = Action(
        kind=ActionKind.SPLIT,
        ex_date=DAYS[60],
        status=Status.ACCEPTED,
        evidence={},
        source="tape",
        split_from=1,
        split_to=2,
    )
    with market.warehouse.write() as connection:
        replace_actions(connection, instrument_id=market.number("MSFT"), actions=[split])
    spy = Spy()
    market.judge(spy)
    ((symbol, _, first, last),) = spy.spans()
    assert symbol == "MSFT"
    assert first < DAYS[55]
    assert last == DAYS[-1], "100 days on, and the 60 sessions that look back on those"
    assert [action.ex_date for action in spy.views[0].actions] == [DAYS[60]]
    assert market.judge().sessions == 0


def test_what_takes_findings_and_finds_none_is_no_part_of_the_version() -> None:
    written = {path.relative_to(QUALITY).as_posix() for path in rule_files()}
    assert {"judge.py", "thresholds.py", "series/jumps.py", "venue/freshness.py"} <= written
    assert not {"score.py", "tally.py", "explanation.py", "gx.py", "repairs/ladder.py"} & written


def test_named_symbols_alone_are_judged(market: Market) -> None:
    spy = Spy()
    market.judge(spy, symbols=("msft",))
    assert {span[0] for span in spy.spans()} == {"MSFT"}
    with pytest.raises(NotFound, match="NOBODY"):
        market.judge(symbols=("NOBODY",))


def test_sessions_outside_the_asked_ones_stay_unjudged(market: Market) -> None:
    market.judge(start=DAYS[20], end=DAYS[30])
    query = "select min(session), max(session) from ops.judged_sessions"
    assert market.ask(market.warehouse, query) == [(DAYS[20], DAYS[29])]


def test_minutes_and_days_testify_to_each_other(market: Market, minutes_of: Any) -> None:
    day, after = DAYS[30], DAYS[31]
    market.source.frames["AAPL", M1] = pl.concat([minutes_of(day), minutes_of(after, count=380, price=200.0)])
    market.ingest(M1, day, after + timedelta(days=1))
    spy = Spy()
    market.judge(spy, symbols=("AAPL",))
    views = {view.timeframe: view for view in spy.views}
    # minutes_of: open 100, high 101, low 99, close 100.5, volumes 1000, 1001, ...
    assert views[D1].other.rows() == [
        (day, 100.0, 101.0, 99.0, 100.5, 390 * 1000.0 + 390 * 389 / 2, 390),
        (after, 200.0, 201.0, 199.0, 200.5, 380 * 1000.0 + 380 * 379 / 2, 380),
    ]
    days = market.source.frames["AAPL", D1].filter(pl.col("ts").dt.date().is_in([day, after]))
    assert views[M1].other["close"].to_list() == days["close"].to_list()
    assert views[M1].bars.height == 770


def test_day_views_read_minutes_that_no_minute_view_had(market: Market, minutes_of: Any) -> None:
    day = DAYS[30]
    market.source.frames["AAPL", M1] = minutes_of(day)
    market.ingest(M1, day, day + timedelta(days=1))
    market.judge()
    market.change("AAPL", DAYS[31], volume=1.0)
    spy = Spy()
    market.judge(spy)
    assert spy.spans() == [("AAPL", "1d", DAYS[26], DAYS[91])]
    assert spy.views[0].other["bars"].to_list() == [390]


@pytest.mark.parametrize("seed", range(20))
def test_islands_hold_every_due_session_once_and_what_hangs_on_it(seed: int) -> None:
    random = np.random.default_rng(seed)
    size = int(random.integers(1, 400))
    due = random.random(size) < random.choice([0.01, 0.1, 0.6])
    days = [date(2000, 1, 1) + timedelta(days=place) for place in range(size)]
    frame = pl.DataFrame({"session": days, "bars": random.integers(0, 2, size), "due": due})
    islands = islands_of(frame, D1)
    covered = [day for island in islands for day in days if island.start <= day < island.end]
    assert len(covered) == len(set(covered))
    bars = frame["bars"].to_list()
    near = {
        days[k]
        for place in np.flatnonzero(due)
        for k in range(max(0, place - 5), size)
        if k <= place + 5 or sum(bars[place:k]) <= 60
    }
    assert set(covered) == near
    with_bars = [day for day, bars in zip(days, frame["bars"], strict=True) if bars]
    for island in islands:
        assert island.first_seen <= island.start
        assert island.last_seen >= island.end - timedelta(days=1)
        before = [day for day in with_bars if island.first_seen <= day < island.start]
        assert before == [day for day in with_bars if day < island.start][-60:]


def test_long_islands_of_minutes_are_divided() -> None:
    days = [date(2000, 1, 1) + timedelta(days=place) for place in range(1200)]
    frame = pl.DataFrame({"session": days, "bars": 1, "due": True})
    islands = islands_of(frame, M1)
    assert [(island.end - island.start).days for island in islands] == [504, 504, 192]
    assert [(island.start - island.first_seen).days for island in islands] == [0, 20, 20]


def test_sisters_are_the_median_of_the_others(market: Market, days_of: Any) -> None:
    for seed, symbol in enumerate(("BA", "GE", "IBM"), start=7):
        market.source.frames[symbol, D1] = days_of(seed, START, END)
    market.source.symbols = ("AAPL", "BA", "GE", "IBM", "MSFT")
    sync_universe(market.source, market.warehouse, symbols=(), source_name="tape")
    market.ingest()
    spy = Spy()
    market.judge(spy, symbols=("AAPL",))
    closes = {
        market.number(symbol): frame.select(
            pl.col("ts").dt.convert_time_zone("America/New_York").dt.date().alias("session"), "close", "low", "high"
        )
        for (symbol, _), frame in market.source.frames.items()
    }
    expected = sister_returns(closes, market.number("AAPL"))
    assert_frame_equal(spy.views[0].sisters, expected, abs_tol=1e-15)
    assert expected.height == len(DAYS) - 1


def test_copy_of_a_series_is_told_from_another_vendor(market: Market) -> None:
    frame, number = market.source.frames["AAPL", D1], market.number("AAPL")
    # 0.3 bps is the median difference of two independent vendors.
    close = pl.col("close") * 1.00003
    vendor = frame.with_columns(close.alias("close"), high=pl.max_horizontal("high", close))
    with market.warehouse.write() as connection:
        for source, bars in (("copy", frame), ("vendor", vendor), ("stranger", vendor.head(19))):
            write_witness(connection, bars, instrument_id=number, timeframe=D1, source=source, basis_on=None)
    market.judge()
    query = "select instrument_id, timeframe, source, is_independent, sessions from ops.witness_sources order by source"
    assert market.ask(market.warehouse, query) == [
        (number, "1d", "copy", False, len(DAYS)),
        (number, "1d", "vendor", True, len(DAYS)),
    ]


def test_end_of_the_last_asked_session_is_judged_again_when_the_next_is_asked_for(
    market: Market, minutes_of: Any
) -> None:
    # A symbol without day bars: nothing else says that its 24th session went on.
    days = DAYS[30:55]
    whole = [minutes_of(day) for day in days]
    market.source.symbols = ("AAPL", "GE", "MSFT")
    sync_universe(market.source, market.warehouse, symbols=(), source_name="tape")
    market.source.frames["GE", M1] = pl.concat([*whole[:23], minutes_of(days[23], count=200), whole[24]])
    query = "select session, verdict from ops.findings where rule = 'session_is_complete' and instrument_id = %s"
    for asked, verdict in ((24, "explained"), (25, "suspected")):
        market.ingest(M1, days[0], days[asked - 1] + timedelta(days=1))
        market.judge(symbols=("GE",))
        assert market.ask(market.warehouse, query, market.number("GE")) == [(days[23], verdict)]


def test_venue_sees_the_minutes_its_members_miss(market: Market, minutes_of: Any) -> None:
    day, after = DAYS[30], DAYS[31]
    hole = pl.col("ts").dt.strftime("%H:%M").is_between(pl.lit("15:00"), pl.lit("15:04"))
    full = pl.concat([minutes_of(day), minutes_of(after)])
    market.source.symbols = ("AAPL", "GE", "IBM", "MSFT")
    sync_universe(market.source, market.warehouse, symbols=(), source_name="tape")
    for symbol in ("AAPL", "GE", "IBM"):
        market.source.frames[symbol, M1] = full.filter(~(hole & (pl.col("ts").dt.date() == after)))
    market.source.frames["MSFT", M1] = full
    market.ingest(M1, day, after + timedelta(days=1))
    spy = Spy()
    market.judge(spy)
    with market.warehouse.read() as connection:
        ids = [item.instrument_id for item in tracked_instruments(connection)]
        ledger = read_ledger(connection, ids, START, END)
        hours = calendar_sessions(connection, "NYSE")
        inputs = VenueInputs("NYSE", M1, hours, ledger, NOW, {})
        known = [missing_minutes(view) for view in spy.views if view.timeframe is M1]
        span = (day, after + timedelta(days=1))
        seen = venue_view(connection, inputs, *span, known)
        read = venue_view(connection, inputs, *span, ())
    assert seen is not None
    assert read is not None
    members = {market.number(symbol) for symbol in ("AAPL", "GE", "IBM")}
    assert seen.missing.height == 15
    assert set(seen.missing["instrument_id"]) == members
    assert seen.missing["ts"].min() == datetime(after.year, after.month, after.day, 15, tzinfo=UTC)
    assert read.missing.equals(seen.missing), "read from the warehouse, they are the same"
    assert seen.counts.filter(pl.col("instrument_id") == market.number("MSFT"))["bars"].to_list() == [390, 390]


def test_only_minutes_missing_in_judged_sessions_are_missing() -> None:
    view = clean_view(M1)
    assert missing_minutes(view).stamps.is_empty()
    last, before = view.bars["ts"][-5], view.bars["ts"][5]
    assert before < datetime(view.start.year, view.start.month, view.start.day, tzinfo=UTC)
    some = with_bars(view, view.bars.filter(~pl.col("ts").is_in([before, last])))
    assert missing_minutes(some).stamps.rows() == [(view.instrument.instrument_id, last)]
    early = with_bars(view, view.bars.filter(pl.col("ts") != before))
    assert missing_minutes(early).stamps.is_empty()
    assert missing_minutes(early).stamps.schema == missing_minutes(some).stamps.schema
    assert missing_minutes(early).sessions.equals(missing_minutes(some).sessions)


def test_last_closed_sessions_of_a_venue_are_judged_whatever_changed(market: Market) -> None:
    with market.warehouse.read() as connection:
        hours = calendar_sessions(connection, "NYSE")
        ledger = read_ledger(connection, [], START, END)
    noon = datetime(DAYS[50].year, DAYS[50].month, DAYS[50].day, 16, tzinfo=UTC)
    inputs = VenueInputs("NYSE", D1, hours, ledger, noon, {})
    assert venue_islands(inputs, [DAYS[10]], START, END) == [
        (DAYS[10], DAYS[10] + timedelta(days=1)),
        (DAYS[48], DAYS[49] + timedelta(days=1)),
    ]


@pytest.mark.parametrize(
    ("thresholds", "fault"),
    [
        ({"no_such_thing": 1.0}, "no_such_thing is no threshold"),
        ({"session_complete_share": 7.0}, r"was 7, it lies in"),
    ],
)
def test_thresholds_that_cannot_work_are_refused(thresholds: dict[str, float], fault: str) -> None:
    settings = Settings(_env_file=None, quality=QualitySettings(thresholds=thresholds))
    with pytest.raises(ConfigError, match=fault):
        checked_thresholds(settings)
