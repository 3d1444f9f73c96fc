"""Write, audit, publish: what a window leaves behind, whatever happens to it."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from itertools import count
from typing import Any

import polars as pl
import pytest

from chandlery.errors import Conflict
from chandlery.market.bars import BAR_SCHEMA
from chandlery.market.symbols import AssetClass
from chandlery.market.timeframes import Timeframe
from chandlery.quality.findings import FINDING_SCHEMA
from chandlery.store.landing import Published, Window, begin_window, fail_window, land, publish
from chandlery.store.universe import register_instrument
from chandlery.store.warehouse import Warehouse

Ask = Callable[..., list[tuple[Any, ...]]]
Tell = Callable[..., None]
Held = Mapping[int, Sequence[str]]

FIRST = datetime(2024, 1, 2, 14, 30, tzinfo=UTC)
START, END = date(2024, 1, 2), date(2024, 1, 3)


def bars(*closes: float, vwap: float | None = None, trade_count: int | None = None) -> pl.DataFrame:
    """Return one bar a minute from `FIRST` on."""
    rows = [
        (FIRST + timedelta(minutes=place), close, close + 1, close - 1, close, 100.0, vwap, trade_count)
        for place, close in enumerate(closes)
    ]
    return pl.DataFrame(rows, schema=dict(BAR_SCHEMA), orient="row")


def findings(*rules: str, session: date = START) -> pl.DataFrame:
    rows = [(place, FIRST, session, rule, "minor", '{"n": 1}') for place, rule in enumerate(rules)]
    return pl.DataFrame(rows, schema=dict(FINDING_SCHEMA), orient="row")


@dataclass
class Series:
    """The minutes of one instrument of its own."""

    warehouse: Warehouse
    ask: Ask
    number: int
    windows: list[Window] = field(default_factory=list)

    def begin(self, *, start: date = START, end: date = END) -> Window:
        window = begin_window(
            self.warehouse, instrument_id=self.number, timeframe=Timeframe.M1, start=start, end=end, run_id="run-1"
        )
        self.windows.append(window)
        return window

    def publish(
        self,
        window: Window,
        seen: int,
        *,
        held: Held | None = None,
        found: pl.DataFrame | None = None,
        blocked: bool = False,
        source: str = "tape",
    ) -> Published:
        held = held or {}
        return publish(
            self.warehouse,
            window,
            held=tuple(held),
            held_rules=tuple(held.values()),
            found=findings() if found is None else found,
            source=source,
            facts={"rows_seen": seen, "rows_held": len(held), "rows_dropped": 0, "pages": 1},
            blocked=blocked,
        )

    def ingest(self, frame: pl.DataFrame, **choices: Any) -> Published:
        window = self.begin()
        land(self.warehouse, window, frame)
        return self.publish(window, frame.height, **choices)

    def rows(self, columns: str, table: str = "raw.massive__bars_1m", order: str = "ts") -> list[tuple[Any, ...]]:
        query = f"select {columns} from {table} where instrument_id = %s order by {order}"
        return self.ask(self.warehouse, query, self.number)

    def closes(self) -> list[float]:
        return [close for (close,) in self.rows("close")]

    def quarantine(self) -> list[tuple[Any, ...]]:
        return self.rows("seq, close, rules", "raw.massive__quarantine", "seq")

    def window_facts(self, columns: str) -> list[tuple[Any, ...]]:
        return self.rows(columns, "ops.ingest_windows", "window_id")

    def landed(self) -> int:
        numbers = [window.window_id for window in self.windows]
        rows = self.ask(self.warehouse, "select count(*) from raw.massive__landing where window_id = any(%s)", numbers)
        return int(rows[0][0])


@pytest.fixture(scope="module")
def letters() -> Iterator[int]:
    return count()


@pytest.fixture
def series(warehouse: Warehouse, ask: Ask, letters: Iterator[int]) -> Series:
    with warehouse.write() as connection:
        instrument = register_instrument(
            connection,
            symbol=f"T{next(letters)}",
            asset_class=AssetClass.STOCKS,
            calendar="NYSE",
            name=None,
            source="tape",
        )
    return Series(warehouse, ask, instrument.instrument_id)


def test_published_window_holds_its_bars_and_empties_landing(series: Series) -> None:
    assert series.ingest(bars(10, 11, vwap=10.5, trade_count=7)) == Published(rows_new=2, rows_revised=0)
    window = series.windows[0].window_id
    assert series.rows("ts, open, high, low, close, volume, vwap, trade_count, source, window_id") == [
        (FIRST, 10.0, 11.0, 9.0, 10.0, 100.0, 10.5, 7, "tape", window),
        (FIRST + timedelta(minutes=1), 11.0, 12.0, 10.0, 11.0, 100.0, 10.5, 7, "tape", window),
    ]
    assert series.landed() == 0
    facts = "status, source, attempts, pages, rows_seen, rows_new, rows_revised, rows_held, error_code, run_id"
    assert series.window_facts(facts) == [("published", "tape", 1, 1, 2, 2, 0, 0, None, "run-1")]
    assert series.window_facts("finished_at >= started_at") == [(True,)]


def test_error_inside_publish_leaves_nothing_published(series: Series) -> None:
    window = series.begin()
    land(series.warehouse, window, bars(10, 11, 12))
    broken = findings("high_covers_body").with_columns(evidence=pl.lit("no json"))
    with pytest.raises(ValueError, match="Expecting value"):
        series.publish(window, 3, held={1: ["high_covers_body"]}, found=broken)
    assert series.closes() == []
    assert series.quarantine() == []
    assert series.landed() == 3
    assert series.window_facts("status, finished_at") == [("running", None)]


def test_replay_writes_no_row(series: Series) -> None:
    series.ingest(bars(10, 11, vwap=None, trade_count=3))
    before = series.rows("ctid, xmin, known_from")
    assert series.ingest(bars(10, 11, vwap=None, trade_count=3), source="another") == Published(0, 0)
    assert series.rows("ctid, xmin, known_from") == before


def test_changed_bar_is_revised_and_known_from_then_on(series: Series) -> None:
    series.ingest(bars(10, 11, 12))
    before = series.rows("known_from")
    assert series.ingest(bars(10, 11.5, 12, 13), source="vendor") == Published(rows_new=1, rows_revised=1)
    assert series.closes() == [10, 11.5, 12, 13]
    assert [source for (source,) in series.rows("source")] == ["tape", "vendor", "tape", "vendor"]
    after = series.rows("known_from")
    assert [later > earlier for later, earlier in zip(after, before, strict=False)] == [False, True, False]


@pytest.mark.parametrize(
    ("first", "second", "revised"),
    [
        ({"vwap": None}, {"vwap": 10.0}, 1),
        ({"vwap": 10.0}, {"vwap": None}, 1),
        ({"trade_count": None}, {"trade_count": 0}, 1),
        ({"trade_count": 5}, {"trade_count": None}, 1),
        ({"vwap": None, "trade_count": None}, {"vwap": None, "trade_count": None}, 0),
        ({"vwap": 10.0, "trade_count": None}, {"vwap": 10.0, "trade_count": None}, 0),
    ],
)
def test_absent_and_present_values_are_told_apart(
    series: Series, first: dict[str, Any], second: dict[str, Any], revised: int
) -> None:
    series.ingest(bars(10, **first))
    assert series.ingest(bars(10, **second)) == Published(rows_new=0, rows_revised=revised)
    assert series.rows("vwap, trade_count") == [(second.get("vwap"), second.get("trade_count"))]


def test_held_rows_go_to_quarantine_under_the_names_of_their_rules(series: Series) -> None:
    held = {1: ["high_covers_body", "key_is_unique"], 3: ["bar_is_not_repeated"]}
    assert series.ingest(bars(10, 11, 12, 13), held=held) == Published(rows_new=2, rows_revised=0)
    assert series.closes() == [10, 12]
    assert series.quarantine() == [
        (1, 11.0, ["high_covers_body", "key_is_unique"]),
        (3, 13.0, ["bar_is_not_repeated"]),
    ]
    assert series.window_facts("status, rows_held") == [("published", 2)]


def test_two_rows_of_one_instant_publish_if_one_is_held(series: Series) -> None:
    twice = pl.concat([bars(10), bars(10)])
    assert series.ingest(twice, held={1: ["bar_is_not_repeated"]}) == Published(rows_new=1, rows_revised=0)


def test_values_no_bar_can_have_are_held_as_they_came(series: Series) -> None:
    odd = bars(10, 11).with_columns(
        close=pl.Series([float("nan"), float("inf")]), volume=pl.Series([None, -1.0], dtype=pl.Float64)
    )
    series.ingest(odd, held={0: ["values_are_finite"], 1: ["values_are_finite"]})
    stored = series.rows("close::text, volume", "raw.massive__quarantine", "seq")
    assert stored == [("NaN", None), ("Infinity", -1.0)]


def test_bar_that_comes_right_leaves_quarantine(series: Series) -> None:
    series.ingest(bars(10, 11), held={1: ["high_covers_body"]})
    assert series.ingest(bars(10, 11)) == Published(rows_new=1, rows_revised=0)
    assert series.quarantine() == []


def test_bar_that_goes_wrong_keeps_its_published_values(series: Series) -> None:
    series.ingest(bars(10, 11))
    assert series.ingest(bars(10, -5), held={1: ["prices_are_positive"]}) == Published(0, 0)
    assert series.closes() == [10, 11]
    assert series.quarantine() == [(1, -5.0, ["prices_are_positive"])]


def test_blocked_batch_is_held_whole(series: Series) -> None:
    series.ingest(bars(10))
    outcome = series.ingest(bars(20, 21, 22), held={1: ["low_covers_body"]}, blocked=True)
    assert outcome == Published(0, 0)
    assert series.closes() == [10]
    assert series.quarantine() == [
        (0, 20.0, ["batch_is_blocked"]),
        (1, 21.0, ["low_covers_body"]),
        (2, 22.0, ["batch_is_blocked"]),
    ]
    assert series.window_facts("status") == [("quarantined",)]


def test_window_counts_as_held_every_row_of_a_blocked_batch(series: Series) -> None:
    series.ingest(bars(20, 21, 22), held={1: ["low_covers_body"]}, blocked=True)
    assert series.window_facts("rows_seen, rows_held") == [(3, 3)]


def test_batch_without_rows_is_empty(series: Series) -> None:
    assert series.ingest(bars()) == Published(0, 0)
    assert series.window_facts("status, rows_seen") == [("empty", 0)]


def test_leftovers_of_an_earlier_attempt_are_cleared(series: Series) -> None:
    land(series.warehouse, series.begin(), bars(90, 91, 92))
    again = series.begin()
    assert series.landed() == 0
    land(series.warehouse, again, bars(10))
    assert series.publish(again, 1) == Published(rows_new=1, rows_revised=0)
    assert series.closes() == [10]
    assert len({window.window_id for window in series.windows}) == 1
    assert series.window_facts("status, attempts") == [("published", 2)]


def test_two_attempts_at_once_lose_nothing(series: Series) -> None:
    frame, held = bars(10, 11), {1: ["high_covers_body"]}
    first = series.begin()
    land(series.warehouse, first, frame)
    second = series.begin()
    land(series.warehouse, second, frame)
    for attempt in (first, second):
        with suppress(Conflict):
            series.publish(attempt, 2, held=held)
    assert series.closes() == [10]
    assert series.quarantine() == [(1, 11.0, ["high_covers_body"])]
    assert series.landed() == 0


def test_failed_window_shows_why_and_holds_nothing(series: Series) -> None:
    window = series.begin()
    land(series.warehouse, window, bars(10))
    fail_window(series.warehouse, window, code="rate_limited")
    assert series.landed() == 0
    assert series.closes() == []
    assert series.window_facts("status, error_code, finished_at is null") == [("failed", "rate_limited", False)]
    series.ingest(bars(10))
    assert series.window_facts("status, error_code, attempts") == [("published", None, 2)]


def test_superseded_attempt_that_fails_leaves_the_later_one_alone(series: Series) -> None:
    first = series.begin()
    second = series.begin()
    land(series.warehouse, second, bars(10))
    fail_window(series.warehouse, first, code="rate_limited")
    assert series.landed() == 1
    assert series.window_facts("status, error_code") == [("running", None)]
    assert series.publish(second, 1) == Published(rows_new=1, rows_revised=0)
    assert series.closes() == [10]


def test_other_bounds_are_another_window(series: Series) -> None:
    first, second = series.begin(), series.begin(end=date(2024, 1, 4))
    assert first.window_id != second.window_id


def test_findings_are_replaced_not_doubled(series: Series) -> None:
    series.ingest(bars(10), found=findings("bar_is_no_filler", "price_moves_with_volume"))
    series.ingest(bars(10), found=findings("bar_is_no_filler", "session_is_complete"))
    stored = series.rows("rule, severity, evidence, state, session", "ops.findings", "rule")
    assert stored == [
        ("bar_is_no_filler", "minor", {"n": 1}, "open", START),
        ("session_is_complete", "minor", {"n": 1}, "open", START),
    ]


def test_findings_of_other_sessions_and_settled_ones_stay(series: Series, tell: Tell) -> None:
    other = findings("bar_is_no_filler", session=END).with_columns(ts=pl.lit(FIRST + timedelta(days=1)))
    window = series.begin(start=END, end=END + timedelta(days=1))
    series.publish(window, 0, found=other.cast(dict(FINDING_SCHEMA)))  # type: ignore[arg-type]
    series.ingest(bars(10), found=findings("ts_is_on_grid"))
    tell(
        series.warehouse,
        f"update ops.findings set state = 'accepted' where instrument_id = {series.number} and rule = 'ts_is_on_grid'",
    )
    series.ingest(bars(10), found=findings("ts_is_on_grid", "key_is_unique"))
    stored = series.rows("rule, state", "ops.findings", "rule")
    assert stored == [("bar_is_no_filler", "open"), ("key_is_unique", "open"), ("ts_is_on_grid", "accepted")]


def test_landing_keeps_the_order_of_arrival(series: Series) -> None:
    window = series.begin()
    assert land(series.warehouse, window, bars(12, 10, 11)) == 3
    query = "select seq, close from raw.massive__landing where window_id = %s order by seq"
    assert series.ask(series.warehouse, query, window.window_id) == [(0, 12.0), (1, 10.0), (2, 11.0)]


def test_day_bars_and_minutes_do_not_meet(series: Series) -> None:
    window = begin_window(
        series.warehouse, instrument_id=series.number, timeframe=Timeframe.D1, start=START, end=END, run_id=None
    )
    land(series.warehouse, window, bars(10))
    series.publish(window, 1)
    assert series.closes() == []
    assert series.rows("close", "raw.massive__bars_1d") == [(10.0,)]
