"""What sources record, in versions: rows appear and end at the instant of their transaction."""

import threading
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from chandlery.market.actions import RecordedDividend, RecordedSplit, RecordedTicker
from chandlery.store.recorded_actions import Changes, Entity, has_recorded, read_records, record
from chandlery.store.warehouse import Warehouse

Ask = Callable[..., list[tuple[Any, ...]]]
Row = dict[str, object]

_VERSIONS = (
    "select execution_date, split_from, split_to, source, known_from, known_to from raw.massive__splits "
    "where instrument_id = %s order by known_from, execution_date"
)


@pytest.fixture
def number(warehouse: Warehouse, ask: Ask, tell: Callable[..., None]) -> int:
    """An instrument of the test's own."""
    tell(warehouse, "insert into ops.instruments (asset_class, calendar) values ('stocks', 'NYSE')")
    return ask(warehouse, "select max(instrument_id) from ops.instruments")[0][0]


def split(day: str, to: int, *, of: int = 1) -> Row:
    return {"execution_date": date.fromisoformat(day), "split_from": of, "split_to": to}


def dividend(day: str, cash: str, **changes: object) -> Row:
    facts: Row = {
        "ex_dividend_date": date.fromisoformat(day),
        "cash_amount": Decimal(cash),
        "currency": "USD",
        "kind": "CD",
        "declaration_date": None,
        "record_date": None,
        "pay_date": None,
        "frequency": 4,
    }
    return {**facts, **changes}


def keep(warehouse: Warehouse, number: int, *rows: Row, entity: Entity = "splits", source: str = "massive") -> Changes:
    with warehouse.write() as connection:
        return record(connection, entity, instrument_id=number, rows=rows, source=source)


def test_unchanged_list_writes_nothing(warehouse: Warehouse, ask: Ask, number: int) -> None:
    rows = split("2000-06-21", 2), split("2005-02-28", 2)
    assert keep(warehouse, number, *rows) == Changes(2, 0)
    before = ask(warehouse, _VERSIONS, number)
    assert keep(warehouse, number, *rows[::-1]) == Changes()
    assert ask(warehouse, _VERSIONS, number) == before


def test_all_rows_of_one_transaction_share_its_instant(warehouse: Warehouse, ask: Ask, number: int) -> None:
    keep(warehouse, number, split("2000-06-21", 2), split("2005-02-28", 2))
    assert keep(warehouse, number, split("2000-06-21", 3), split("2014-06-09", 7)) == Changes(2, 2)
    ended, begun = (
        {row[5] for row in ask(warehouse, _VERSIONS, number)},
        {row[4] for row in ask(warehouse, _VERSIONS, number)},
    )
    assert len(begun) == 2
    assert ended - {None} == {max(begun)}


def test_row_that_vanishes_ends_and_may_come_back(warehouse: Warehouse, ask: Ask, number: int) -> None:
    keep(warehouse, number, split("2000-06-21", 2))
    assert keep(warehouse, number) == Changes(0, 1)
    assert keep(warehouse, number, split("2000-06-21", 2)) == Changes(1, 0)
    first, second = ask(warehouse, _VERSIONS, number)
    assert first[5] is not None
    assert first[5] < second[4]
    assert second[5] is None


def test_equal_rows_are_one(warehouse: Warehouse, number: int) -> None:
    assert keep(warehouse, number, split("2000-06-21", 2), split("2000-06-21", 2)) == Changes(1, 0)


def test_two_ratios_on_one_day_are_both_kept(warehouse: Warehouse, number: int) -> None:
    assert keep(warehouse, number, split("2000-06-21", 2), split("2000-06-21", 3)) == Changes(2, 0)


def test_other_source_neither_repeats_nor_ends_what_the_first_recorded(
    warehouse: Warehouse, ask: Ask, number: int
) -> None:
    keep(warehouse, number, split("2000-06-21", 2), source="wiki")
    assert keep(warehouse, number, split("2000-06-21", 2), split("2014-06-09", 7)) == Changes(1, 0)
    assert keep(warehouse, number) == Changes(0, 1)
    assert [row[3] for row in ask(warehouse, _VERSIONS, number) if row[5] is None] == ["wiki"]
    assert has_recorded(warehouse, "splits", instrument_id=number, source="wiki")
    assert not has_recorded(warehouse, "splits", instrument_id=number, source="massive")


def test_later_payment_date_is_a_new_version(warehouse: Warehouse, ask: Ask, number: int) -> None:
    early = dividend("2013-02-07", "2.65", pay_date=date(2013, 2, 14))
    assert keep(warehouse, number, early, entity="dividends") == Changes(1, 0)
    late = dividend("2013-02-07", "2.650", pay_date=date(2013, 2, 15))
    assert keep(warehouse, number, late, entity="dividends") == Changes(1, 1)
    query = "select pay_date, known_to is null from raw.massive__dividends where instrument_id = %s order by known_from"
    assert ask(warehouse, query, number) == [(date(2013, 2, 14), False), (date(2013, 2, 15), True)]


def test_rows_that_differ_only_beside_their_key_are_one(warehouse: Warehouse, number: int) -> None:
    rows = [dividend("2013-02-07", "2.65", pay_date=date(2013, 2, day)) for day in (15, 14)]
    assert keep(warehouse, number, *rows, entity="dividends") == Changes(1, 0)
    assert keep(warehouse, number, *rows[::-1], entity="dividends") == Changes()


def test_present_records_are_read_as_they_were_given(warehouse: Warehouse, number: int) -> None:
    keep(warehouse, number, split("2000-06-21", 2))
    keep(warehouse, number, split("2005-02-28", 3, of=4))
    keep(warehouse, number, dividend("2013-02-07", "2.65"), entity="dividends", source="wiki")
    event = {"event_date": date(2022, 6, 9), "kind": "ticker_change", "ticker": "META"}
    keep(warehouse, number, event, entity="ticker_events")
    with warehouse.read() as connection:
        found = read_records(connection, number)
    assert set(found) == {
        RecordedSplit(day=date(2005, 2, 28), split_from=4, split_to=3, source="massive"),
        RecordedDividend(day=date(2013, 2, 7), cash=Decimal("2.65"), currency="USD", distribution="CD", source="wiki"),
        RecordedTicker(day=date(2022, 6, 9), ticker="META", source="massive"),
    }


def test_two_writers_at_once_keep_one_version(warehouse: Warehouse, ask: Ask, number: int) -> None:
    gate, changes = threading.Barrier(4), []

    def write() -> None:
        gate.wait()
        changes.append(keep(warehouse, number, split("2000-06-21", 2)))

    writers = [threading.Thread(target=write) for _ in range(4)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert sorted(change.new for change in changes) == [0, 0, 0, 1]
    assert len(ask(warehouse, _VERSIONS, number)) == 1
