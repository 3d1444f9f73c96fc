"""What was revised, when and why, while others go on publishing."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from typing import Any

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from chandlery.clock import now
from chandlery.errors import Blocked, InvalidInput, NotFound
from chandlery.market.timeframes import Timeframe
from chandlery.steps.bars import ingest_bars
from chandlery.steps.calendar import build_calendar
from chandlery.steps.history import find_changes, find_versions
from chandlery.steps.universe import sync_universe
from chandlery.store.history import Series, bars_as_of
from chandlery.store.universe import find_instrument
from chandlery.store.warehouse import Warehouse

Ask = Callable[..., list[tuple[Any, ...]]]
MONDAY = date(2024, 1, 8)
OPENING = datetime(2024, 1, 8, 14, 30, tzinfo=UTC)
NEVER = datetime(2200, 1, 1, tzinfo=UTC)
SYMBOLS = ("AAPL", "GE", "IBM", "MSFT")
M1, D1 = Timeframe.M1, Timeframe.D1


def prepare(source: Any, warehouse: Warehouse) -> None:
    sync_universe(source, warehouse, symbols=(), source_name="tape")
    build_calendar(warehouse, start=date(2024, 1, 1), end=date(2024, 2, 1))


def ingest(source: Any, warehouse: Warehouse, symbol: str = "AAPL", timeframe: Timeframe = M1) -> Any:
    span = (MONDAY, MONDAY + timedelta(days=1))
    return ingest_bars(
        source, warehouse, timeframe=timeframe, start=span[0], end=span[1], spans={symbol: span}, run_id=None
    )


def with_close(frame: pl.DataFrame, place: int, close: float) -> pl.DataFrame:
    here = pl.int_range(pl.len()) == place
    return frame.with_columns(
        close=pl.when(here).then(close).otherwise("close"),
        high=pl.when(here).then(pl.max_horizontal("high", pl.lit(close))).otherwise("high"),
    )


@pytest.fixture
def one(source_of: Any, minutes_of: Any, fresh: Warehouse) -> Any:
    source = source_of({("AAPL", M1): minutes_of(MONDAY)}, symbols=("AAPL",))
    prepare(source, fresh)
    return source


def test_changes_name_what_was_revised_added_and_withdrawn(one: Any, fresh: Warehouse) -> None:
    sound = one.frames["AAPL", M1]
    one.frames["AAPL", M1] = sound.head(389)
    ingest(one, fresh)
    before = now()
    one.frames["AAPL", M1] = with_close(sound, 5, 102.0).filter(pl.int_range(pl.len()) != 7)
    ingest(one, fresh)
    for later in (None, now()):
        found = find_changes(fresh, " aapl", "1m", earlier=before, later=later)
        assert found.select("ts", "change", "reason", "close_before", "close_after").rows() == [
            (OPENING + timedelta(minutes=5), "revised", "vendor_correction", 100.5, 102.0),
            (OPENING + timedelta(minutes=7), "withdrawn", None, 100.5, None),
            (OPENING + timedelta(minutes=389), "added", "first", None, 100.5),
        ]
    assert find_changes(fresh, "AAPL", "1d", earlier=before, later=None).is_empty()


def test_versions_of_one_bar_or_of_a_range(one: Any, fresh: Warehouse) -> None:
    ingest(one, fresh)
    one.frames["AAPL", M1] = with_close(one.frames["AAPL", M1], 0, 102.0)
    ingest(one, fresh)
    alone = find_versions(fresh, "AAPL", "1m", start=OPENING, end=None)
    assert alone.select("ts", "close", "source").rows() == [(OPENING, 100.5, "tape"), (OPENING, 102.0, "tape")]
    assert alone["known_to"].to_list() == [alone["known_from"][1], None]
    several = find_versions(fresh, "AAPL", "1m", start=OPENING, end=OPENING + timedelta(minutes=3))
    assert several["ts"].to_list() == [OPENING + timedelta(minutes=place) for place in (0, 0, 1, 2)]


def test_question_without_an_answer_says_why(one: Any, fresh: Warehouse) -> None:
    ingest(one, fresh)
    with pytest.raises(NotFound, match="AAPL 1m has no version of a bar from 2200"):
        find_versions(fresh, "AAPL", "1m", start=NEVER, end=None)
    with pytest.raises(NotFound, match="TSLA is not tracked"):
        find_changes(fresh, "TSLA", "1m", earlier=OPENING, later=None)
    with pytest.raises(InvalidInput, match="sources deliver bars of 1m and 1d"):
        find_versions(fresh, "AAPL", "1h", start=OPENING, end=None)
    with pytest.raises(InvalidInput, match="exclusive"):
        find_versions(fresh, "AAPL", "1m", start=OPENING, end=OPENING)
    with pytest.raises(InvalidInput, match="exclusive"):
        find_changes(fresh, "AAPL", "1m", earlier=NEVER, later=None)
    with pytest.raises(InvalidInput, match="later than now"):
        find_changes(fresh, "AAPL", "1m", earlier=OPENING, later=NEVER)


def test_empty_answers_withdraw_nothing_however_often_they_come(
    source_of: Any, days_of: Any, fresh: Warehouse, ask: Ask
) -> None:
    day = days_of(1, MONDAY, MONDAY + timedelta(days=1))
    source = source_of({("AAPL", D1): day}, symbols=("AAPL",))
    prepare(source, fresh)
    ingest(source, fresh, timeframe=D1)
    source.frames.clear()
    bars = "select count(*) from raw.massive__bars_1d"
    receipt = ingest(source, fresh, timeframe=D1)
    assert (receipt.total("rows_withdrawn"), receipt.suspected_empty) == (0, ("AAPL 1d 2024-01-08 to 2024-01-09",))
    assert ask(fresh, bars) == [(1,)]
    source.frames["AAPL", D1] = day
    assert ingest(source, fresh, timeframe=D1).reasons == ()
    source.frames.clear()
    ingest(source, fresh, timeframe=D1)
    with pytest.raises(Blocked, match="AAPL 1d 2024-01-08"):
        ingest(source, fresh, timeframe=D1)
    assert ask(fresh, bars) == [(1,)]
    assert ask(fresh, "select status from ops.ingest_windows") == [("quarantined",)]


def test_snapshots_never_change_while_others_publish(source_of: Any, minutes_of: Any, fresh: Warehouse) -> None:
    frame = minutes_of(MONDAY, count=390)
    prepare(source_of({(symbol, M1): frame for symbol in SYMBOLS}, symbols=SYMBOLS), fresh)
    with fresh.read() as connection:
        numbers = [find_instrument(connection, symbol).instrument_id for symbol in SYMBOLS]
    rounds = 6

    def publish(symbol: str) -> list[tuple[datetime, datetime]]:
        """Publish revisions of one series; return when each was begun and done."""
        mine = source_of({}, symbols=SYMBOLS)
        spans = []
        for count in range(1, rounds + 1):
            began = now()
            mine.frames[symbol, M1] = with_close(frame, count, 100.5 + count / 8).with_columns(
                volume=pl.col("volume") + count
            )
            ingest(mine, fresh, symbol)
            spans.append((began, now()))
        return spans

    def state(moment: datetime) -> pl.DataFrame:
        series = [Series(number, M1, OPENING, OPENING + timedelta(hours=7)) for number in numbers]
        parts = [bars_as_of(fresh, item, moment).with_columns(number=item.instrument_id) for item in series]
        return pl.concat(parts)

    def watch(count: int) -> list[tuple[datetime, pl.DataFrame]]:
        return [(moment, state(moment)) for moment in (now() for _ in range(count))]

    with ThreadPoolExecutor(len(SYMBOLS) + 2) as threads:
        publishers = [threads.submit(publish, symbol) for symbol in SYMBOLS]
        watchers = [threads.submit(watch, 10) for _ in range(2)]
        spans = [item.result() for item in publishers]
        seen = [snapshot for item in watchers for snapshot in item.result()]
    for moment, before in seen:
        assert_frame_equal(state(moment), before, check_exact=True)
    # What each series was at any moment follows from when its answers were begun and done: one round or the next.
    for moment, before in seen:
        for number, mine in zip(numbers, spans, strict=True):
            volume = before.filter((pl.col("number") == number) & (pl.col("ts") == OPENING))["volume"].to_list()
            version = int(volume[0] - 1000) if volume else 0
            assert sum(done <= moment for _, done in mine) <= version <= sum(began <= moment for began, _ in mine)
