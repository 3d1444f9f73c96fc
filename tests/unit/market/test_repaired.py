"""Repaired bars beside a new answer: only what the source had not said before is news."""

from datetime import UTC, datetime, timedelta
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chandlery.market.bars import BAR_SCHEMA
from chandlery.market.repaired import ORIGINAL_SCHEMA, Upheld, uphold_repairs

FIRST = datetime(2024, 1, 2, 14, 30, tzinfo=UTC)
NAN = float("nan")


def frame(closes: dict[int, float], **values: Any) -> pl.DataFrame:
    rows = [
        {"ts": FIRST + timedelta(minutes=place), **dict.fromkeys(("open", "high", "low"), 10.0), "close": close}
        | {"volume": 5.0, "vwap": 10.0, "trade_count": 3, **values}
        for place, close in closes.items()
    ]
    return pl.DataFrame(rows, schema=BAR_SCHEMA)


def originals(closes: dict[int, float], absent: tuple[int, ...] = ()) -> pl.DataFrame:
    said = frame(closes).with_columns(is_absent=pl.lit(value=False))
    nothing = pl.DataFrame(
        {"ts": [FIRST + timedelta(minutes=place) for place in absent], "is_absent": [True] * len(absent)},
        schema_overrides=ORIGINAL_SCHEMA,
    )
    return pl.concat([said, nothing], how="diagonal").select(*ORIGINAL_SCHEMA)


def places(upheld: Upheld) -> tuple[dict[int, float], dict[int, str], list[int]]:
    """Return closes of what passed, closes as text of what is held, and what is kept, by minute."""

    def place(ts: datetime) -> int:
        return int((ts - FIRST).total_seconds() // 60)

    passed = {place(ts): close for ts, close in upheld.passed.select("ts", "close").iter_rows()}
    held = {place(ts): str(close) for ts, close in upheld.held.select("ts", "close").iter_rows()}
    return passed, held, [place(ts) for ts in upheld.kept]


KNOWN = {0: 1.0, 1: 2.0, 2: 3.0}
"""Minute 1 was 200 before it was repaired."""


@pytest.mark.parametrize(
    ("passed", "held", "expected"),
    [
        ({**KNOWN, 1: 200.0}, {}, (KNOWN, {}, [1])),
        (KNOWN, {}, (KNOWN, {}, [])),
        ({**KNOWN, 1: 201.0}, {}, ({**KNOWN, 1: 201.0}, {}, [])),
        ({0: 1.0, 2: 3.0}, {}, ({0: 1.0, 2: 3.0}, {}, [])),
        ({0: 1.0, 2: 3.0}, {1: 200.0}, (KNOWN, {}, [1])),
        ({0: 1.0, 2: 3.0}, {1: 7.0}, ({0: 1.0, 2: 3.0}, {1: "7.0"}, [])),
        ({**KNOWN, 1: 201.0}, {1: 200.0}, ({**KNOWN, 1: 201.0}, {}, [])),
    ],
    ids=["again", "agrees", "other", "gone", "held again", "held otherwise", "other beside the old"],
)
def test_answer_beside_a_repaired_bar(
    passed: dict[int, float], held: dict[int, float], expected: tuple[dict[int, float], dict[int, str], list[int]]
) -> None:
    found = uphold_repairs(frame(KNOWN), frame(passed), frame(held), originals({1: 200.0}))
    assert places(found) == expected


def test_nan_that_was_held_before_is_the_same_nan() -> None:
    found = uphold_repairs(frame(KNOWN), frame({0: 1.0, 2: 3.0}), frame({1: NAN}), originals({1: NAN}))
    assert places(found) == (KNOWN, {}, [1])


def test_bar_nobody_had_stays_while_nobody_has_it() -> None:
    bare = originals({}, absent=(1,))
    assert places(uphold_repairs(frame(KNOWN), frame({0: 1.0, 2: 3.0}), frame({}), bare)) == (KNOWN, {}, [1])
    assert places(uphold_repairs(frame(KNOWN), frame({**KNOWN, 1: 9.0}), frame({}), bare))[2] == []


def test_columns_a_source_never_fills_are_not_compared() -> None:
    answer = frame({**KNOWN, 1: 200.0}, vwap=None)
    told = uphold_repairs(frame(KNOWN), answer, frame({}), originals({1: 200.0}), unpublished=("vwap",))
    assert places(told)[2] == [1]
    assert places(uphold_repairs(frame(KNOWN), answer, frame({}), originals({1: 200.0})))[2] == []


@given(
    st.dictionaries(st.integers(0, 9), st.floats(1, 100), max_size=10),
    st.dictionaries(st.integers(0, 9), st.floats(1, 100)),
)
def test_without_a_repair_an_answer_is_what_it_is(known: dict[int, float], passed: dict[int, float]) -> None:
    ordered = dict(sorted(passed.items()))
    found = uphold_repairs(frame(known), frame(ordered), frame({}), originals({}))
    assert found.passed.equals(frame(ordered))
    assert found.kept.is_empty()
