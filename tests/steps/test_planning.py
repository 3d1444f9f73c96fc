"""Planning: which windows are asked for, under which ticker, and what is left out."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chandlery.errors import NotFound
from chandlery.market.calendar import sessions
from chandlery.market.symbols import Instrument, asset_class_of, calendar_of
from chandlery.market.timeframes import Timeframe
from chandlery.steps.calendar import build_calendar
from chandlery.steps.planning import PlannedWindow, Request, plan_ingest, ticker_on
from chandlery.store.coverage import TickerSpan
from chandlery.store.tickers import set_tickers
from chandlery.store.universe import InstrumentFacts, register_instrument
from chandlery.store.warehouse import Warehouse

Tell = Callable[..., None]
Span = tuple[date, date]

START, END = date(2022, 1, 1), date(2022, 7, 1)
LATER = datetime(2024, 1, 1, tzinfo=UTC)
RENAMED = date(2022, 6, 9)
NYSE = sessions("NYSE", date(2021, 6, 1), date(2023, 1, 1))["session"].to_list()


def trading(start: date, end: date) -> list[date]:
    return [day for day in NYSE if start <= day < end]


@dataclass
class Planner:
    """One warehouse with a calendar; instruments come and go."""

    warehouse: Warehouse
    tell: Tell

    def add(self, symbol: str, **facts: Any) -> Instrument:
        kind = asset_class_of(symbol)
        with self.warehouse.write() as connection:
            return register_instrument(
                connection,
                symbol=symbol,
                asset_class=kind,
                calendar=calendar_of(kind),
                name=None,
                source="tape",
                facts=InstrumentFacts(**facts),
            )

    def forget(self) -> None:
        self.tell(
            self.warehouse,
            "delete from ops.ingest_windows",
            "delete from ops.bar_sessions",
            "delete from ops.instrument_tickers",
            "delete from ops.instruments",
        )

    def note(self, instrument: Instrument, span: Span, status: str, *, run_id: str = "then") -> None:
        """Record a window as an ingest would have left it."""
        self.tell(
            self.warehouse,
            "insert into ops.ingest_windows (instrument_id, timeframe, start_session, end_session, status, run_id) "
            f"values ({instrument.instrument_id}, '1m', '{span[0]}', '{span[1]}', '{status}', '{run_id}')",
        )

    def had(self, instrument: Instrument, bars: list[int]) -> None:
        """Record how many minutes the first sessions of 2021 had."""
        rows = ", ".join(
            f"({instrument.instrument_id}, '1m', '{date(2021, 1, 1) + timedelta(days=place)}', {count}, 1, 1)"
            for place, count in enumerate(bars)
        )
        self.tell(
            self.warehouse,
            f"insert into ops.bar_sessions (instrument_id, timeframe, session, bars, ingest_id, first_ingest_id) "
            f"values {rows}",
        )

    def plan(self, *, now: datetime = LATER, **choices: Any) -> list[PlannedWindow]:
        asked: dict[str, Any] = {
            "timeframe": Timeframe.M1,
            "start": START,
            "end": END,
            "spans": {},
            "only_missing": False,
            "run_id": None,
        }
        return plan_ingest(self.warehouse, Request(**{**asked, **choices}), now=now)


@pytest.fixture(scope="module")
def prepared(warehouse: Warehouse, tell: Tell) -> Planner:
    build_calendar(warehouse, start=date(2021, 6, 1), end=date(2023, 1, 1))
    return Planner(warehouse, tell)


@pytest.fixture
def planner(prepared: Planner) -> Iterator[Planner]:
    yield prepared
    prepared.forget()


def spans(windows: list[PlannedWindow]) -> list[Span]:
    return [(item.start, item.end) for item in windows]


def test_first_contact_asks_for_52_sessions_of_a_stock(planner: Planner) -> None:
    # 960 minutes from 04:00 to 20:00 New York: 50,000 of them are 52.08 sessions.
    planner.add("AAPL")
    windows = planner.plan()
    assert [item.sessions.height for item in windows] == [52, 52, len(trading(START, END)) - 104]
    assert spans(windows) == [(START, NYSE[NYSE.index(date(2022, 1, 3)) + 52]), *spans(windows)[1:]]


def test_first_contact_asks_for_34_days_of_a_pair(planner: Planner) -> None:
    planner.add("X:BTCUSD")
    windows = planner.plan(end=date(2022, 4, 1))
    assert [item.sessions.height for item in windows] == [34, 34, 22]
    assert spans(windows)[0] == (date(2022, 1, 1), date(2022, 2, 4))


@pytest.mark.parametrize(
    ("bars", "size"),
    [
        ([390] * 20, 128),  # 50,000 / 390 = 128.2
        ([500] * 19 + [900], 96),  # p95 of twenty lies 0.05 of the way from 500 to 900: 520, so 96.15
        ([50_001], 1),
        ([390, 0, 0, 0], 128),  # sessions that were withdrawn say nothing of a usual one
    ],
)
def test_known_series_is_asked_for_in_windows_of_50_000_bars(planner: Planner, bars: list[int], size: int) -> None:
    planner.had(planner.add("AAPL"), bars)
    windows = planner.plan(start=date(2021, 6, 1), end=date(2022, 12, 1))
    assert {item.sessions.height for item in windows[:-1]} == {size}


def test_days_of_years_come_in_one_window(planner: Planner) -> None:
    planner.add("AAPL")
    assert spans(planner.plan(timeframe=Timeframe.D1)) == [(START, END)]


def test_change_of_ticker_divides_a_window(planner: Planner) -> None:
    meta = planner.add("META")
    with planner.warehouse.write() as connection:
        tickers = [TickerSpan("FB", date(2012, 5, 18), RENAMED), TickerSpan("META", RENAMED, None)]
        set_tickers(connection, meta.instrument_id, tickers, source="tape")
    windows = planner.plan(start=date(2022, 6, 1))
    assert [(item.ticker, item.start, item.end) for item in windows] == [
        ("FB", date(2022, 6, 1), RENAMED),
        ("META", RENAMED, END),
    ]
    assert windows[0].label == "FB 1m 2022-06-01 to 2022-06-09"


def test_ticker_outside_its_history_is_the_present_one() -> None:
    tickers = (TickerSpan("OLD", date(2010, 1, 1), date(2012, 1, 1)), TickerSpan("NEW", date(2013, 1, 1), None))
    days = [date(2009, 12, 31), date(2010, 1, 1), date(2011, 12, 31), date(2012, 1, 1), date(2013, 1, 1)]
    assert [ticker_on(tickers, day, "NEW") for day in days] == ["NEW", "OLD", "OLD", "NEW", "NEW"]


def test_nothing_is_asked_before_the_listing_or_from_the_delisting_on(planner: Planner) -> None:
    planner.add("ABC", listed_on=date(2022, 2, 15), delisted_on=date(2022, 3, 15))
    (window,) = planner.plan()
    assert (window.start, window.end) == (date(2022, 2, 15), date(2022, 3, 15))
    assert window.sessions["session"].to_list() == trading(date(2022, 2, 15), date(2022, 3, 15))
    assert planner.plan(end=date(2022, 2, 15)) == []
    assert planner.plan(start=date(2022, 3, 15)) == []


def test_delisted_holder_of_a_reused_ticker_is_asked_for_its_own_days(planner: Planner) -> None:
    planner.add("ABC", listed_on=date(2010, 1, 4), delisted_on=date(2022, 3, 15))
    planner.add("ABC", listed_on=date(2022, 5, 2))
    windows = planner.plan(timeframe=Timeframe.D1)
    assert [(item.ticker, item.start, item.end) for item in windows] == [
        ("ABC", START, date(2022, 3, 15)),
        ("ABC", date(2022, 5, 2), END),
    ]
    assert len({item.instrument.instrument_id for item in windows}) == 2


@pytest.mark.parametrize(
    ("now", "end"),
    [
        # 2022-01-14 is a Friday, the Monday after it a holiday; New York closes at 21:00 UTC.
        (datetime(2022, 1, 14, 21, 14, tzinfo=UTC), date(2022, 1, 14)),
        (datetime(2022, 1, 14, 21, 15, tzinfo=UTC), date(2022, 1, 15)),
        (datetime(2022, 1, 16, 12, tzinfo=UTC), date(2022, 1, 15)),
        (datetime(2022, 1, 18, 4, 59, tzinfo=UTC), date(2022, 1, 15)),
        (datetime(2022, 1, 18, 5, tzinfo=UTC), date(2022, 1, 18)),
    ],
)
def test_only_closed_sessions_and_no_coming_day_are_asked_for(planner: Planner, now: datetime, end: date) -> None:
    planner.add("AAPL")
    (window,) = planner.plan(start=date(2022, 1, 10), end=date(2022, 1, 18), now=now)
    assert window.end == end
    assert window.sessions["session"].to_list() == trading(date(2022, 1, 10), end)


def test_day_of_a_pair_ends_at_midnight_utc(planner: Planner) -> None:
    planner.add("X:BTCUSD")
    ends = [
        planner.plan(end=date(2022, 1, 10), now=datetime(2022, 1, 5, 0, minute, tzinfo=UTC))[-1].end
        for minute in (14, 15)
    ]
    assert ends == [date(2022, 1, 4), date(2022, 1, 5)]


def test_nothing_is_planned_before_the_first_close(planner: Planner) -> None:
    planner.add("AAPL")
    assert planner.plan(now=datetime(2022, 1, 3, 12, tzinfo=UTC)) == []


def test_days_without_session_belong_to_a_window(planner: Planner) -> None:
    planner.add("AAPL")
    windows = planner.plan()
    assert windows[0].start == START  # a Saturday, and a holiday
    assert windows[-1].end == END
    assert [left.end == right.start for left, right in pairwise(windows)] == [True, True]


def test_what_is_missing_is_asked_for_and_nothing_else(planner: Planner) -> None:
    aapl = planner.add("AAPL")
    planner.note(aapl, (date(2022, 1, 3), date(2022, 2, 1)), "published")
    planner.note(aapl, (date(2022, 3, 1), date(2022, 4, 1)), "empty")
    planner.note(aapl, (date(2022, 4, 1), date(2022, 5, 2)), "empty_suspected")
    windows = planner.plan(only_missing=True, end=date(2022, 6, 1))
    assert spans(windows) == [
        (date(2022, 2, 1), date(2022, 3, 1)),
        (date(2022, 4, 1), date(2022, 5, 2)),
        (date(2022, 5, 2), date(2022, 6, 1)),
    ]
    planner.note(aapl, (START, END), "published")
    assert planner.plan(only_missing=True) == []


@pytest.mark.parametrize("status", ["running", "failed", "quarantined", "empty_suspected"])
def test_unfinished_window_is_asked_for_again_as_it_was(planner: Planner, status: str) -> None:
    aapl = planner.add("AAPL")
    # 2022-01-15 to 17 are a weekend and a holiday: neither border is a session.
    was = (date(2022, 1, 15), date(2022, 5, 1))
    planner.note(aapl, was, status)
    planner.had(aapl, [2000])
    assert was in spans(planner.plan())
    assert was not in spans(planner.plan(end=date(2022, 4, 1)))


def test_plan_that_was_never_begun_binds_nobody(planner: Planner) -> None:
    planner.note(planner.add("AAPL"), (date(2022, 1, 10), date(2022, 1, 20)), "planned")
    assert spans(planner.plan(end=date(2022, 2, 1))) == [(START, date(2022, 2, 1))]


def test_run_that_goes_on_leaves_out_what_it_did_and_only_that(planner: Planner) -> None:
    aapl = planner.add("AAPL")
    planner.note(aapl, (START, date(2022, 2, 1)), "published", run_id="mine")
    planner.note(aapl, (date(2022, 2, 1), date(2022, 3, 1)), "published", run_id="another")
    assert spans(planner.plan(run_id="mine", end=date(2022, 3, 1))) == [(date(2022, 2, 1), date(2022, 3, 1))]
    assert spans(planner.plan(run_id="new", end=date(2022, 3, 1))) == [(START, date(2022, 3, 1))]


def test_symbols_come_in_order_each_within_its_span(planner: Planner) -> None:
    for symbol in ("MSFT", "AAPL", "GE"):
        planner.add(symbol)
    assert [item.ticker for item in planner.plan(end=date(2022, 2, 1))] == ["AAPL", "GE", "MSFT"]
    chosen = {"GE": (date(2020, 1, 1), date(2022, 1, 10)), "MSFT": (END, date(2023, 1, 1))}
    assert [(item.ticker, item.start, item.end) for item in planner.plan(spans=chosen)] == [
        ("GE", START, date(2022, 1, 10))
    ]
    with pytest.raises(NotFound, match="TSLA is not tracked"):
        planner.plan(spans={"TSLA": (START, END)})


DAYS = st.dates(date(2022, 1, 1), date(2022, 7, 20))
PAST = st.lists(
    st.tuples(DAYS, st.integers(1, 60), st.sampled_from(["published", "empty", "failed", "running", "quarantined"])),
    max_size=5,
    unique_by=lambda item: (item[0], item[1]),
)


@settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(past=PAST, asked=st.tuples(DAYS, st.integers(1, 150)), bars=st.integers(390, 5000), only_missing=st.booleans())
def test_windows_are_disjoint_ascending_and_cover_exactly_what_is_wanted(
    prepared: Planner, past: list[tuple[date, int, str]], asked: tuple[date, int], bars: int, only_missing: bool
) -> None:
    first, end = asked[0], asked[0] + timedelta(days=asked[1])
    try:
        meta = prepared.add("META")
        with prepared.warehouse.write() as connection:
            tickers = [TickerSpan("FB", date(2012, 5, 18), RENAMED), TickerSpan("META", RENAMED, None)]
            set_tickers(connection, meta.instrument_id, tickers, source="tape")
        prepared.had(meta, [bars])
        known = [((day, day + timedelta(days=days)), status) for day, days, status in past]
        for span, status in known:
            prepared.note(meta, span, status)
        windows = prepared.plan(start=first, end=end, only_missing=only_missing)
    finally:
        prepared.forget()
    done = [span for span, status in known if only_missing and status in {"published", "empty"}]
    wanted = [day for day in trading(first, end) if not any(low <= day < high for low, high in done)]
    assert [day for item in windows for day in item.sessions["session"].to_list()] == wanted
    assert all(left.end <= right.start for left, right in pairwise(windows))
    unfinished = [span for span, status in known if status in {"failed", "running", "quarantined"}]
    for item in windows:
        assert first <= item.start < item.end <= end
        assert item.sessions["session"].to_list() == trading(item.start, item.end)
        assert {"FB" if day < RENAMED else "META" for day in trading(item.start, item.end)} == {item.ticker}
        assert item.sessions.height <= max(1, 50_000 // bars) or (item.start, item.end) in unfinished
    others = [*done, *unfinished]
    for low, high in unfinished:
        stands_alone = sum(a < high and low < b for a, b in others) == 1
        mine = trading(low, high)
        crosses = mine and mine[0] < RENAMED <= mine[-1]
        if first <= low and high <= end and stands_alone and mine and not crosses:
            assert (low, high) in spans(windows)
