"""As of an earlier instant: bit for bit what was known then, whatever came later."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from threading import Barrier, Thread
from typing import Any

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from chandlery.clock import now
from chandlery.errors import InvalidInput
from chandlery.market.bars import BAR_SCHEMA
from chandlery.market.symbols import AssetClass, Instrument
from chandlery.market.timeframes import Timeframe
from chandlery.quality.findings import FINDING_SCHEMA
from chandlery.store.bars import Judged, Published, publish
from chandlery.store.history import Series, bars_as_of, changes_between, versions
from chandlery.store.ingest_windows import begin_window
from chandlery.store.instants import commit_instant, settle
from chandlery.store.universe import register_instrument
from chandlery.store.warehouse import Warehouse

Ask = Callable[..., list[tuple[Any, ...]]]
FIRST = datetime(2024, 1, 2, 14, 30, tzinfo=UTC)
START, END = date(2024, 1, 2), date(2024, 1, 3)
Row = tuple[float, float, float, float, float, float | None, int | None]


def frame_of(rows: dict[int, Row]) -> pl.DataFrame:
    """Return bars by the minute after `FIRST`."""
    bars = [(FIRST + timedelta(minutes=minute), *values) for minute, values in sorted(rows.items())]
    return pl.DataFrame(bars, schema=dict(BAR_SCHEMA), orient="row")


def flat(close: float, volume: float = 100.0) -> Row:
    return (close, close, close, close, volume, None, None)


@dataclass
class Book:
    """One instrument whose answers follow each other."""

    warehouse: Warehouse
    instrument: Instrument

    @property
    def series(self) -> Series:
        return Series(
            self.instrument.instrument_id, Timeframe.M1, FIRST - timedelta(hours=9), FIRST + timedelta(hours=9)
        )

    def answer(self, rows: dict[int, Row], *, payload: str = "same") -> Published:
        window = begin_window(
            self.warehouse, instrument=self.instrument, timeframe=Timeframe.M1, start=START, end=END, run_id=None
        )
        frame = frame_of(rows)
        held = frame.clear().with_columns(seq=pl.lit(0, dtype=pl.UInt32), rules=pl.lit([], dtype=pl.List(pl.String)))
        batch = Judged(
            passed=frame,
            held=held.select("seq", *BAR_SCHEMA, "rules"),
            found=pl.DataFrame(schema=dict(FINDING_SCHEMA)),
            blocked=False,
            source="tape",
            request_ids=(payload,),
            payload_sha256=payload,
            rows_seen=frame.height,
            rows_dropped=0,
            pages=1,
            expects_bars=True,
        )
        return publish(self.warehouse, window, batch)

    def present(self) -> pl.DataFrame:
        return bars_as_of(self.warehouse, self.series, None)


@pytest.fixture
def book(fresh: Warehouse) -> Book:
    with fresh.write() as connection:
        instrument = register_instrument(
            connection, symbol="AAPL", asset_class=AssetClass.STOCKS, calendar="NYSE", name=None, source="tape"
        )
    return Book(fresh, instrument)


def random_answers(seed: int, count: int) -> list[dict[int, Row]]:
    """Return answers that add, revise, withdraw and leave alone, never so many at once that they look cut short."""
    import numpy as np

    random = np.random.default_rng(seed)
    known: dict[int, Row] = {minute: flat(100.0 + minute) for minute in range(60)}
    answers = [dict(known)]
    for _ in range(count - 1):
        for minute in random.choice(sorted(known), size=5, replace=False):
            close = float(np.round(random.uniform(90, 110), 4))
            vwap = None if random.random() < 0.3 else close
            known[int(minute)] = (close, close + 1, close - 1, close, float(random.integers(0, 9)), vwap, 3)
        for minute in random.choice(sorted(known), size=int(random.integers(0, 3)), replace=False):
            del known[int(minute)]
        known[int(random.integers(60, 200))] = flat(7.0)
        answers.append(dict(known))
    return answers


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_every_earlier_state_is_reproduced_bit_for_bit(book: Book, seed: int) -> None:
    kept: list[tuple[datetime, pl.DataFrame]] = [(now(), frame_of({}))]
    for answer in random_answers(seed, 8):
        book.answer(answer)
        # The snapshot comes from what was sent, not from what the store says it holds.
        kept.append((now(), frame_of(answer)))
    for instant, expected in kept:
        assert_frame_equal(bars_as_of(book.warehouse, book.series, instant), expected, check_exact=True)
    assert_frame_equal(book.present(), kept[-1][1], check_exact=True)


def test_before_the_first_commit_there_is_nothing(book: Book) -> None:
    book.answer({0: flat(10)})
    assert bars_as_of(book.warehouse, book.series, datetime(2020, 1, 1, tzinfo=UTC)).is_empty()


def test_the_future_is_refused(book: Book) -> None:
    with pytest.raises(InvalidInput, match="later than now"):
        bars_as_of(book.warehouse, book.series, now() + timedelta(minutes=1))


def test_versions_say_why_they_came_and_from_which_requests(book: Book) -> None:
    book.answer({0: (10, 11, 9, 10, 100, None, None), 1: flat(20)}, payload="a")
    book.answer({0: (10, 12, 9, 11, 150, None, None), 1: flat(20)}, payload="b")
    book.answer({0: (10, 12, 9, 11.5, 150, None, None), 1: flat(20)}, payload="c")
    book.answer({0: (5, 6, 4.5, 5.75, 300, None, None), 1: flat(20)}, payload="d")
    rows = versions(book.warehouse, book.series).filter(pl.col("ts") == FIRST)
    assert rows["reason"].to_list() == ["first", "late_trade", "vendor_correction", "split_rebasis"]
    assert rows["request_ids"].to_list() == [["a"], ["b"], ["c"], ["d"]]
    assert rows["known_to"].to_list() == [*rows["known_from"].to_list()[1:], None]
    assert book.present().height == 2


def test_changes_between_two_instants_are_listed(book: Book) -> None:
    book.answer({minute: flat(10 + minute) for minute in range(30)})
    before = now()
    book.answer({minute: flat(10 + minute) for minute in range(29)} | {40: flat(1), 3: flat(13.5)})
    found = changes_between(book.warehouse, book.series, before, now())
    assert found.select("change", "reason", "close_before", "close_after").rows() == [
        ("revised", "vendor_correction", 13.0, 13.5),
        ("withdrawn", None, 39.0, None),
        ("added", "first", None, 1.0),
    ]
    assert changes_between(book.warehouse, book.series, before, before).is_empty()


def test_reader_waits_for_a_commit_that_took_its_instant_before(fresh: Warehouse) -> None:
    taken, order = Barrier(2), []

    def write() -> None:
        with fresh.write() as connection:
            instant = commit_instant(connection)
            taken.wait()
            connection.exec_driver_sql("select pg_sleep(0.3)")
            order.append(("committed", instant))

    writer = Thread(target=write)
    writer.start()
    taken.wait()
    moment = now()
    settle(fresh, moment)
    order.append(("read", moment))
    writer.join()
    assert [name for name, _ in order] == ["committed", "read"]


def test_no_two_transactions_share_an_instant(fresh: Warehouse) -> None:
    instants: list[datetime] = []

    def write() -> None:
        with fresh.write() as connection:
            connection.exec_driver_sql("select 1")
            instants.append(commit_instant(connection))

    threads = [Thread(target=write) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(instants)) == 8
