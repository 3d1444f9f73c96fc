"""Publish: what a window leaves behind, whatever happens to it."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from itertools import count
from typing import Any

import polars as pl
import pytest

from chandlery.errors import Conflict, QualityError
from chandlery.market.bars import BAR_SCHEMA
from chandlery.market.symbols import AssetClass, Instrument
from chandlery.market.timeframes import Timeframe
from chandlery.quality.findings import FINDING_SCHEMA
from chandlery.store.bars import VANISHED, Judged, Published, publish
from chandlery.store.ingest_windows import Window, begin_window, fail_window, plan_windows
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
    rows = [
        (place, FIRST, None, session, session, rule, 5, "minor", "confirmed", "validity", '{"n": 1}')
        for place, rule in enumerate(rules)
    ]
    return pl.DataFrame(rows, schema=dict(FINDING_SCHEMA), orient="row")


def judged(
    frame: pl.DataFrame,
    *,
    held: Held,
    found: pl.DataFrame | None = None,
    blocked: bool = False,
    source: str = "tape",
    payload: str = "",
    expects_bars: bool = True,
) -> Judged:
    rows = frame.with_row_index("seq")
    names = {row: list(rules) for row, rules in held.items()}
    if blocked:
        names = {row: names.get(row, ["batch_is_blocked"]) for row in range(frame.height)}
    rules = pl.DataFrame(
        {"seq": list(names), "rules": list(names.values())},
        schema={"seq": pl.get_index_type(), "rules": pl.List(pl.String)},
    )
    return Judged(
        passed=rows.join(rules, on="seq", how="anti").drop("seq").sort("ts"),
        held=rows.join(rules, on="seq", how="inner").select("seq", *BAR_SCHEMA, "rules"),
        found=findings() if found is None else found,
        blocked=blocked,
        source=source,
        request_ids=("r1", "r2"),
        payload_sha256=payload,
        rows_seen=frame.height,
        rows_dropped=0,
        pages=1,
        expects_bars=expects_bars,
    )


def figures(outcome: Published) -> tuple[int, int]:
    return outcome.rows_new, outcome.rows_revised


@dataclass
class Series:
    """The minutes of one instrument of its own."""

    warehouse: Warehouse
    ask: Ask
    instrument: Instrument
    windows: list[Window] = field(default_factory=list)

    @property
    def number(self) -> int:
        return self.instrument.instrument_id

    def begin(self, *, start: date = START, end: date = END, timeframe: Timeframe = Timeframe.M1) -> Window:
        window = begin_window(
            self.warehouse, instrument=self.instrument, timeframe=timeframe, start=start, end=end, run_id="run-1"
        )
        self.windows.append(window)
        return window

    def publish(self, window: Window, frame: pl.DataFrame, *, held: Held | None = None, **facts: Any) -> Published:
        return publish(self.warehouse, window, judged(frame, held=held or {}, **facts))

    def ingest(self, frame: pl.DataFrame, **choices: Any) -> Published:
        return self.publish(self.begin(), frame, **choices)

    def rows(self, columns: str, table: str = "raw.massive__bars_1m", order: str = "ts") -> list[tuple[Any, ...]]:
        query = f"select {columns} from {table} where instrument_id = %s order by {order}"
        return self.ask(self.warehouse, query, self.number)

    def closes(self) -> list[float]:
        return [close for (close,) in self.rows("close")]

    def quarantine(self) -> list[tuple[Any, ...]]:
        return self.rows("seq, close, rules", "raw.massive__quarantine", "seq")

    def window_facts(self, columns: str) -> list[tuple[Any, ...]]:
        return self.rows(columns, "ops.ingest_windows", "window_id")


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
    return Series(warehouse, ask, instrument)


def test_published_window_holds_its_bars(series: Series) -> None:
    assert figures(series.ingest(bars(10, 11, vwap=10.5, trade_count=7))) == (2, 0)
    window = series.windows[0].window_id
    bar = "ts, open, high, low, close, volume, vwap, trade_count, reason"
    assert series.rows(bar) == [
        (FIRST, 10.0, 11.0, 9.0, 10.0, 100.0, 10.5, 7, "first"),
        (FIRST + timedelta(minutes=1), 11.0, 12.0, 10.0, 11.0, 100.0, 10.5, 7, "first"),
    ]
    query = "select source, request_ids, run_id, attempt from ops.ingests where window_id = %s"
    assert series.ask(series.warehouse, query, window) == [("tape", ["r1", "r2"], "run-1", 1)]
    sessions = "session, bars, first_ts, last_ts"
    assert series.rows(sessions, "ops.bar_sessions", "session") == [(START, 2, FIRST, FIRST + timedelta(minutes=1))]
    facts = "status, source, attempts, pages, rows_seen, rows_new, rows_revised, rows_held, error_code, run_id"
    assert series.window_facts(facts) == [("published", "tape", 1, 1, 2, 2, 0, 0, None, "run-1")]
    assert series.window_facts("finished_at >= started_at") == [(True,)]


def test_error_inside_publish_leaves_nothing_published(series: Series) -> None:
    window = series.begin()
    broken = findings("high_covers_body").with_columns(evidence=pl.lit("no json"))
    with pytest.raises(QualityError, match=r"high_covers_body.*json"):
        series.publish(window, bars(10, 11, 12), held={1: ["high_covers_body"]}, found=broken)
    assert series.closes() == []
    assert series.quarantine() == []
    assert series.window_facts("status, finished_at") == [("running", None)]


def test_replay_writes_no_row(series: Series) -> None:
    series.ingest(bars(10, 11, vwap=None, trade_count=3))
    before = series.rows("ctid, xmin, ingest_id")
    assert series.ingest(bars(10, 11, vwap=None, trade_count=3), source="another") == Published("published")
    assert series.rows("ctid, xmin, ingest_id") == before
    assert series.rows("1", "raw.massive__bars_1m_history") == []


def test_changed_bar_moves_to_history_and_names_the_ingest_that_changed_it(series: Series) -> None:
    series.ingest(bars(10, 11, 12))
    outcome = series.ingest(bars(10, 11.5, 12, 13), source="vendor")
    assert outcome.reasons == (("first", 1), ("vendor_correction", 1))
    assert series.closes() == [10, 11.5, 12, 13]
    sourced = "raw.massive__bars_1m join ops.ingests using (ingest_id)"
    assert [source for (source,) in series.rows("source", sourced)] == ["tape", "vendor", "tape", "vendor"]
    old = "raw.massive__bars_1m_history h join ops.ingests i on i.ingest_id = h.superseded_by"
    assert series.rows("close, reason, i.source", old) == [(11.0, "first", "vendor")]


def test_untouched_bars_of_a_changed_window_are_not_rewritten(series: Series) -> None:
    series.ingest(bars(10, 11, 12))
    before = series.rows("ctid, xmin")
    series.ingest(bars(10, 11.5, 12))
    after = series.rows("ctid, xmin")
    assert [old == new for old, new in zip(before, after, strict=True)] == [True, False, True]


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
    assert figures(series.ingest(bars(10, **second))) == (0, revised)
    assert series.rows("vwap, trade_count") == [(second.get("vwap"), second.get("trade_count"))]


def test_held_rows_go_to_quarantine_under_the_names_of_their_rules(series: Series) -> None:
    held = {1: ["high_covers_body", "key_is_unique"], 3: ["bar_is_not_repeated"]}
    assert figures(series.ingest(bars(10, 11, 12, 13), held=held)) == (2, 0)
    assert series.closes() == [10, 12]
    assert series.quarantine() == [
        (1, 11.0, ["high_covers_body", "key_is_unique"]),
        (3, 13.0, ["bar_is_not_repeated"]),
    ]
    assert series.window_facts("status, rows_held") == [("published", 2)]


def test_two_rows_of_one_instant_publish_if_one_is_held(series: Series) -> None:
    twice = pl.concat([bars(10), bars(10)])
    assert figures(series.ingest(twice, held={1: ["bar_is_not_repeated"]})) == (1, 0)


def test_values_no_bar_can_have_are_held_as_they_came(series: Series) -> None:
    odd = bars(10, 11).with_columns(
        close=pl.Series([float("nan"), float("inf")]), volume=pl.Series([None, -1.0], dtype=pl.Float64)
    )
    series.ingest(odd, held={0: ["values_are_finite"], 1: ["values_are_finite"]})
    stored = series.rows("close::text, volume", "raw.massive__quarantine", "seq")
    assert stored == [("NaN", None), ("Infinity", -1.0)]


def test_bar_that_comes_right_leaves_quarantine(series: Series) -> None:
    series.ingest(bars(10, 11), held={1: ["high_covers_body"]})
    assert figures(series.ingest(bars(10, 11))) == (1, 0)
    assert series.quarantine() == []


def test_bar_that_goes_wrong_keeps_its_published_values(series: Series) -> None:
    series.ingest(bars(10, 11))
    assert figures(series.ingest(bars(10, -5), held={1: ["prices_are_positive"]})) == (0, 0)
    assert series.closes() == [10, 11]
    assert series.quarantine() == [(1, -5.0, ["prices_are_positive"])]


def test_blocked_batch_is_held_whole(series: Series) -> None:
    series.ingest(bars(10))
    outcome = series.ingest(bars(20, 21, 22), held={1: ["low_covers_body"]}, blocked=True)
    assert outcome == Published("quarantined")
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


def test_empty_answer_is_suspected_until_a_second_one_agrees(series: Series) -> None:
    assert series.ingest(bars()) == Published("empty_suspected")
    assert series.ingest(bars()) == Published("empty")
    assert figures(series.ingest(bars(10))) == (1, 0)
    assert series.window_facts("status, rows_seen") == [("published", 1)]


def test_empty_answers_never_withdraw_a_bar(series: Series) -> None:
    series.ingest(bars(10, 11))
    outcomes = [series.ingest(bars(), payload="nothing") for _ in range(4)]
    assert [outcome.status for outcome in outcomes] == ["empty_suspected", *["quarantined"] * 3]
    assert series.closes() == [10, 11]
    assert series.rows("rule", "ops.findings", "rule") == [(VANISHED,)]


def test_empty_answer_after_a_failure_is_the_first_of_its_kind(series: Series) -> None:
    fail_window(series.warehouse, series.begin(), code="source_unavailable")
    assert series.ingest(bars()) == Published("empty_suspected")


def test_empty_answer_without_sessions_needs_no_second(series: Series) -> None:
    assert series.ingest(bars(), expects_bars=False) == Published("empty")


def test_bar_that_is_gone_is_withdrawn_and_stays_in_history(series: Series) -> None:
    series.ingest(bars(*range(10, 20)))
    outcome = series.ingest(bars(*range(10, 19)))
    assert (outcome.rows_withdrawn, outcome.sessions) == (1, (START,))
    assert series.closes() == list(range(10, 19))
    assert series.rows("close, reason", "raw.massive__bars_1m_history") == [(19.0, "first")]
    assert series.rows("bars", "ops.bar_sessions", "session") == [(9,)]


def test_answer_without_most_known_bars_is_held_until_the_same_comes_again(series: Series) -> None:
    series.ingest(bars(*range(10, 20)))
    assert series.ingest(bars(10, 11), payload="cut") == Published("quarantined")
    assert series.closes() == list(range(10, 20))
    assert series.rows("rule, evidence", "ops.findings", "rule") == [
        (VANISHED, {"known": 10, "missing": 8, "payload_sha256": "cut"})
    ]
    assert series.ingest(bars(10, 12), payload="another") == Published("quarantined")
    assert series.ingest(bars(10, 12), payload="another").rows_withdrawn == 8
    assert series.closes() == [10, 12]
    assert series.quarantine() == []


def test_held_bar_is_not_withdrawn(series: Series) -> None:
    series.ingest(bars(10, 11))
    assert series.ingest(bars(10, 11), held={1: ["x"]}).rows_withdrawn == 0
    assert series.closes() == [10, 11]


def test_windows_that_overlap_revise_each_others_bars(series: Series) -> None:
    series.ingest(bars(10, 11))
    wide = series.begin(start=date(2024, 1, 1), end=date(2024, 1, 6))
    assert figures(series.publish(wide, bars(10, 12))) == (0, 1)
    assert series.closes() == [10, 12]


def test_plan_is_recorded_and_replaced_by_the_next(series: Series) -> None:
    minutes = (series.warehouse, series.instrument, Timeframe.M1)
    plan_windows(*minutes, [(START, END), (END, date(2024, 1, 5))])
    series.ingest(bars(10))
    plan_windows(*minutes, [(date(2024, 1, 5), date(2024, 1, 9))])
    states = series.rows("status, start_session", "ops.ingest_windows", "start_session")
    assert states == [("published", START), ("planned", date(2024, 1, 5))]


def test_killed_attempt_leaves_a_running_window_that_the_next_one_takes_over(series: Series) -> None:
    series.begin()
    assert series.window_facts("status, attempts") == [("running", 1)]
    assert figures(series.publish(series.begin(), bars(10))) == (1, 0)
    assert len({window.window_id for window in series.windows}) == 1
    assert series.window_facts("status, attempts") == [("published", 2)]


def test_superseded_attempt_cannot_publish(series: Series) -> None:
    first, second = series.begin(), series.begin()
    with pytest.raises(Conflict, match=r"Attempt 1 .* attempt 2 has begun"):
        series.publish(first, bars(99))
    assert series.closes() == []
    assert figures(series.publish(second, bars(10, 11), held={1: ["high_covers_body"]})) == (1, 0)
    assert series.closes() == [10]
    assert series.quarantine() == [(1, 11.0, ["high_covers_body"])]


def test_failed_window_shows_why_and_holds_nothing(series: Series) -> None:
    fail_window(series.warehouse, series.begin(), code="rate_limited")
    assert series.closes() == []
    assert series.window_facts("status, error_code, finished_at is null") == [("failed", "rate_limited", False)]
    series.ingest(bars(10))
    assert series.window_facts("status, error_code, attempts") == [("published", None, 2)]


def test_superseded_attempt_that_fails_leaves_the_later_one_alone(series: Series) -> None:
    first = series.begin()
    second = series.begin()
    fail_window(series.warehouse, first, code="rate_limited")
    assert series.window_facts("status, error_code") == [("running", None)]
    assert figures(series.publish(second, bars(10))) == (1, 0)
    assert series.closes() == [10]


def test_other_bounds_are_another_window(series: Series) -> None:
    first, second = series.begin(), series.begin(end=date(2024, 1, 4))
    assert first.window_id != second.window_id


def test_findings_are_replaced_not_doubled(series: Series) -> None:
    series.ingest(bars(10), found=findings("bar_is_no_filler", "price_moves_with_volume"))
    series.ingest(bars(10), found=findings("bar_is_no_filler", "vwap_lies_within_range"))
    stored = series.rows("rule, severity, evidence, state, session", "ops.findings", "rule")
    assert stored == [
        ("bar_is_no_filler", "minor", {"n": 1}, "open", START),
        ("price_moves_with_volume", "minor", {"n": 1}, "repaired", START),
        ("vwap_lies_within_range", "minor", {"n": 1}, "open", START),
    ]


def test_findings_of_other_sessions_and_settled_ones_stay(series: Series, tell: Tell) -> None:
    other = findings("bar_is_no_filler", session=END).with_columns(ts=pl.lit(FIRST + timedelta(days=1)))
    window = series.begin(start=END, end=END + timedelta(days=1))
    series.publish(window, bars(), found=other.cast(dict(FINDING_SCHEMA)))  # type: ignore[arg-type]
    series.ingest(bars(10), found=findings("ts_is_on_grid"))
    tell(
        series.warehouse,
        f"update ops.findings set state = 'dismissed' where instrument_id = {series.number} and rule = 'ts_is_on_grid'",
    )
    series.ingest(bars(10), found=findings("ts_is_on_grid", "key_is_unique"))
    stored = series.rows("rule, state", "ops.findings", "rule")
    assert stored == [("bar_is_no_filler", "open"), ("key_is_unique", "open"), ("ts_is_on_grid", "dismissed")]


def test_day_bars_and_minutes_do_not_meet(series: Series) -> None:
    series.publish(series.begin(timeframe=Timeframe.D1), bars(10))
    assert series.closes() == []
    assert series.rows("close", "raw.massive__bars_1d") == [(10.0,)]


def test_what_a_source_once_answered_stays_asked_for_while_it_is_asked_again(series: Series) -> None:
    series.ingest(bars(10))
    asked = "status, last_answer"
    assert series.rows(asked, "ops.ingest_windows", "window_id") == [("published", None)]
    window = series.begin()
    assert series.rows(asked, "ops.ingest_windows", "window_id") == [("running", "published")]
    fail_window(series.warehouse, window, code="unavailable")
    series.begin()
    assert series.rows(asked, "ops.ingest_windows", "window_id") == [("running", "published")]
