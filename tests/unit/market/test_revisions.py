"""Revisions: what changed, told from two versions alone."""

from datetime import UTC, datetime, timedelta

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chandlery.market.bars import BAR_SCHEMA
from chandlery.market.revisions import compare

FIRST = datetime(2024, 1, 2, 14, 30, tzinfo=UTC)
Row = tuple[float, float, float, float, float, float | None, int | None]
OLD: Row = (40.89, 41.44, 40.12, 40.64, 100_000.0, 40.7, 900)


def frame(rows: dict[int, Row]) -> pl.DataFrame:
    bars = [(FIRST + timedelta(minutes=minute), *values) for minute, values in sorted(rows.items())]
    return pl.DataFrame(bars, schema=dict(BAR_SCHEMA), orient="row")


NOTHING = frame({}).get_column("ts")


def reason(new: Row, old: Row = OLD) -> str:
    return str(compare(frame({0: old}), frame({0: new}), NOTHING).revised["reason"].item())


@pytest.mark.parametrize(
    ("new", "expected"),
    [
        ((40.89, 41.5, 40.12, 40.7, 100_300.0, 40.71, 903), "late_trade"),
        ((40.89, 41.44, 40.12, 40.64, 100_300.0, 40.7, 903), "late_trade"),
        ((40.89, 41.44, 40.12, 40.64, 100_300.0, 40.7, None), "late_trade"),
        ((40.89, 41.44, 40.12, 40.64, 100_300.0, 40.7, 900), "vendor_correction"),
        ((40.89, 41.4, 40.12, 40.64, 100_300.0, 40.7, 903), "vendor_correction"),
        ((40.89, 41.44, 40.12, 40.64, 99_000.0, 40.7, 880), "vendor_correction"),
        ((40.90, 41.44, 40.12, 40.64, 100_300.0, 40.7, 903), "vendor_correction"),
        ((40.89, 41.44, 40.12, 40.64, 100_000.0, None, 900), "vendor_correction"),
        # AAPL of 2005-04-01 on the basis of 2022: 28 times less, to the cent; its volume differs by 0.2 %.
        ((1.46, 1.48, 1.43, 1.45, 2_806_000.0, 1.4536, 900), "split_rebasis"),
        ((81.78, 82.88, 80.24, 81.28, 50_000.0, 81.4, 900), "split_rebasis"),
        # All prices doubled, volume as before: no change of share basis explains that.
        ((81.78, 82.88, 80.24, 81.28, 100_000.0, 81.4, 900), "vendor_correction"),
        # PLD's doubled prices were no split: one of four moves otherwise.
        ((81.78, 82.88, 40.12, 81.28, 50_000.0, 81.4, 900), "vendor_correction"),
    ],
)
def test_reason_follows_from_the_two_versions(new: Row, expected: str) -> None:
    assert reason(new) == expected


def test_held_bars_are_neither_changed_nor_withdrawn() -> None:
    known, answer = frame({0: OLD, 1: OLD}), frame({0: OLD})
    changes = compare(known, answer, frame({1: OLD})["ts"])
    assert changes.is_empty
    assert changes.after["ts"].to_list() == known["ts"].to_list()


@pytest.mark.parametrize(
    ("known", "missing", "vanishes"), [(10, 3, False), (10, 4, True), (400, 20, False), (400, 21, True)]
)
def test_answer_that_lacks_more_than_a_few_known_bars_is_not_believed(known: int, missing: int, vanishes: bool) -> None:
    whole = dict.fromkeys(range(known), OLD)
    rest = dict.fromkeys(range(missing, known), OLD)
    assert compare(frame(whole), frame(rest), NOTHING).vanishes is vanishes


bar = st.tuples(st.sampled_from([9.5, 10.0, 10.25]), st.sampled_from([None, 3]))
books = st.dictionaries(
    st.integers(0, 8),
    bar.map(lambda pair: (pair[0], pair[0] + 1, pair[0] - 1, pair[0], 5.0, None, pair[1])),
    max_size=9,
)


@given(books, books)
def test_changes_made_to_the_known_bars_give_the_answer(known: dict[int, Row], answer: dict[int, Row]) -> None:
    changes = compare(frame(known), frame(answer), NOTHING)
    stamp = {minute: FIRST + timedelta(minutes=minute) for minute in range(9)}
    assert set(changes.new["ts"]) == {stamp[minute] for minute in answer.keys() - known.keys()}
    assert set(changes.withdrawn["ts"]) == {stamp[minute] for minute in known.keys() - answer.keys()}
    both = known.keys() & answer.keys()
    assert set(changes.revised["ts"]) == {stamp[minute] for minute in both if known[minute] != answer[minute]}
    assert changes.after.rows() == frame(answer).rows()
    assert set(changes.touched()) == {
        stamp[minute] for minute in known.keys() | answer.keys() if known.get(minute) != answer.get(minute)
    }
