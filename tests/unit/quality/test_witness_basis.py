"""Another publisher's days on one's own share basis, and what sister symbols say."""

from datetime import date, timedelta

import polars as pl
import pytest

from chandlery.quality.series.view import SESSION_BARS_SCHEMA
from chandlery.quality.sisters import sister_returns
from chandlery.quality.witness_basis import on_basis_of

DAY = date(2024, 1, 2)


def days(closes: list[float], *, first: date = DAY) -> pl.DataFrame:
    k = pl.int_range(pl.len())
    return (
        pl.DataFrame({"close": closes})
        .select(
            session=pl.lit(first) + pl.duration(days=k),
            open=pl.col("close"),
            high=pl.col("close") + 1,
            low=pl.col("close") - 1,
            close=pl.col("close"),
            volume=pl.lit(700.0),
            bars=pl.lit(1),
        )
        .cast(dict(SESSION_BARS_SCHEMA))  # type: ignore[arg-type]
    )


def test_witness_that_divided_by_a_later_split_is_brought_back() -> None:
    # The witness divided by a 2:1 split on the sixth day and by a 7:1 split after the last one, unknown here.
    own = days([200.0, 202.0, 204.0, 206.0, 208.0, 104.0, 105.0, 106.0, 107.0, 108.0])
    witness = days(
        [value / 14 for value in (200.0, 202.0, 204.0, 206.0, 208.0)] + [104 / 7, 15.0, 106 / 7, 107 / 7, 108 / 7]
    )
    result = on_basis_of(witness, own, [DAY + timedelta(days=5)])
    assert result["close"].to_list() == pytest.approx(own["close"].to_list())
    assert result["volume"].to_list() == pytest.approx([50.0] * 5 + [100.0] * 5)


def test_single_difference_does_not_move_the_basis() -> None:
    own = days([100.0 + k for k in range(9)])
    result = on_basis_of(
        own.with_columns(pl.when(pl.col("close") == 104).then(90).otherwise("close").alias("close")), own, []
    )
    assert result["close"].to_list() == [100.0, 101.0, 102.0, 103.0, 90.0, 105.0, 106.0, 107.0, 108.0]


def test_stretch_that_scatters_or_is_too_short_says_nothing() -> None:
    own = days([100.0 + k for k in range(9)])
    assert on_basis_of(own.with_columns(close=100.0 + 10 * pl.int_range(pl.len())), own, []).is_empty()
    assert on_basis_of(own.head(4), own, []).is_empty()


def test_median_of_the_others_needs_three_of_them() -> None:
    closes = {
        number: days([100.0, 100.0 * (1 + move)]).select("session", "close")
        for number, move in {1: -0.5, 2: 0.01, 3: 0.02, 4: 0.04}.items()
    }
    result = sister_returns(closes, 1)
    assert result.rows() == [(DAY + timedelta(days=1), pytest.approx(0.02), 3, None, None)]
    del closes[4]
    assert sister_returns(closes, 1).is_empty()


def test_median_low_and_high_of_the_others_are_measured_from_the_close_before() -> None:
    # Lows and highs lie 1 beside the close; from 100 to 98: 97/100 and 99/100.
    ranges = {number: days([100.0, close]) for number, close in {1: 50.0, 2: 98.0, 3: 96.0, 4: 99.0}.items()}
    (row,) = sister_returns(ranges, 1).iter_rows(named=True)
    assert row["median_low"] == pytest.approx(-0.03)
    assert row["median_high"] == pytest.approx(-0.01)
    unknown = ranges | {4: ranges[4].drop("low", "high")}
    (row,) = sister_returns(unknown, 1).iter_rows(named=True)
    assert (row["instruments"], row["median_low"], row["median_high"]) == (3, None, None)
