"""Recorded dividends against prices and neighbours: the real bad and good cases of the shared data."""

import gzip
from collections import Counter
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest

from chandlery.market.actions import Action, RecordedDividend, RecordedSplit, Status
from chandlery.market.verdicts import DAY_PRICE_SCHEMA, judge

TAPES = Path(__file__).resolve().parents[3].parent / "shared" / "data" / "tapes"
NOTHING = pl.DataFrame(schema=DAY_PRICE_SCHEMA)
QUARTERS = [date(2021, 2, 1) + timedelta(days=91 * step) for step in range(8)]


def cash(day: date, amount: str, **changes: str) -> RecordedDividend:
    facts = {"currency": "USD", "distribution": "CD", "source": "massive", **changes}
    return RecordedDividend(day=day, cash=Decimal(amount), **facts)


def flat(price: float, *, falls: dict[date, float] | None = None) -> pl.DataFrame:
    """Return a price that stands still, but on the days it falls for good."""
    rows = []
    for step in range(800):
        day = date(2021, 1, 1) + timedelta(days=step)
        price -= (falls or {}).get(day, 0.0)
        rows.append((day, price, price))
    return pl.DataFrame(rows, schema=DAY_PRICE_SCHEMA, orient="row")


def statuses(actions: tuple[Action, ...]) -> dict[Status, int]:
    return dict(Counter(action.status for action in actions))


def case(name: str) -> tuple[Action, ...]:
    """Judge the dividends of a repair case as its file records them."""
    path = TAPES / "repair_cases" / f"{name}.csv.gz"
    if not path.exists():
        pytest.skip("the shared repair cases are not on this machine")
    frame = pl.read_csv(gzip.decompress(path.read_bytes()), infer_schema_length=None, null_values=["-inf"])
    stamp = next(item for item in ("Date", "Datetime") if item in frame.columns)
    days = frame.select(
        pl.col(stamp).str.slice(0, 10).str.to_date().alias("session"),
        pl.col("Open").cast(pl.Float64).alias("open"),
        pl.col("Close").cast(pl.Float64).alias("close"),
        pl.col("Dividends").cast(pl.Float64).alias("cash"),
    )
    records = [cash(day, repr(paid)) for day, paid in days.select("session", "cash").iter_rows() if paid]
    return judge(records, days)


@pytest.mark.parametrize("name", ["CALM-1d", "EWG-1d", "IBE-MC-1d", "TISG-MI-1d"])
def test_clean_case_stays_clean(name: str) -> None:
    assert set(statuses(case(f"{name}-no-bad-divs"))) == {Status.ACCEPTED}


@pytest.mark.parametrize(("name", "count"), [("ELCO-L", 5), ("PSH-L", 11)])
def test_dividends_a_hundred_times_too_large_are_all_suspected_and_the_repaired_ones_not(name: str, count: int) -> None:
    assert statuses(case(f"{name}-1d-bad-div")) == {Status.SUSPECTED: count}
    assert statuses(case(f"{name}-1d-bad-div-fixed")) == {Status.ACCEPTED: count}


def test_dividends_above_the_price_are_suspected() -> None:
    actions = case("LSC-L-1d-bad-div")
    assert [action.evidence["reason"] for action in actions if action.status is Status.SUSPECTED] == [
        "not_below_the_previous_close"
    ] * 4


def test_dividends_of_which_prices_show_nothing_are_suspected() -> None:
    # SCR: the one of 2023-03 a day early, two a hundred times too large; the last one is right.
    assert [action.status for action in case("SCR-TO-1d-bad-div")] == [Status.SUSPECTED] * 3 + [Status.ACCEPTED]
    assert set(statuses(case("SCR-TO-1d-bad-div-fixed"))) == {Status.ACCEPTED}


def test_phantom_the_day_before_is_a_duplicate() -> None:
    first, second, *rest = case("KEN-TA-1d-bad-div")
    assert (first.status, first.evidence["duplicate_of"]) == (Status.REJECTED, "2022-01-19")
    assert {action.status for action in (second, *rest)} == {Status.ACCEPTED}
    assert set(statuses(case("KEN-TA-1d-bad-div-fixed"))) == {Status.ACCEPTED}


@pytest.mark.parametrize("symbol", ["AAPL", "BA", "GE"])
def test_every_dividend_of_the_real_tapes_is_accepted(symbol: str) -> None:
    path = TAPES / "us_daily" / f"{symbol}.parquet"
    if not path.exists():
        pytest.skip("the shared tapes are not on this machine")
    days = pl.read_parquet(path)
    rows = days.filter(pl.col("ex_dividend") != 0).select("session", "ex_dividend")
    actions = judge([cash(day, repr(paid)) for day, paid in rows.iter_rows()], days)
    assert statuses(actions) == {Status.ACCEPTED: {"AAPL": 41, "BA": 203, "GE": 208}[symbol]}


def test_a_hundred_times_its_neighbours_is_suspected_and_they_are_not() -> None:
    records = [cash(day, "20" if place == 4 else "0.20") for place, day in enumerate(QUARTERS)]
    actions = judge(records, NOTHING)
    assert [place for place, action in enumerate(actions) if action.status is not Status.ACCEPTED] == [4]
    assert (actions[4].status, actions[4].evidence["times_its_neighbours"]) == (Status.SUSPECTED, 100)


def test_a_hundredth_of_its_neighbours_is_suspected() -> None:
    records = [cash(day, "0.002" if place == 4 else "0.20") for place, day in enumerate(QUARTERS)]
    actions = judge(records, flat(50.0))
    assert [action.status for action in actions].index(Status.SUSPECTED) == 4


def test_special_dividend_that_prices_show_is_accepted() -> None:
    records = [cash(day, "20" if place == 4 else "0.20") for place, day in enumerate(QUARTERS)]
    actions = judge(records, flat(50.0, falls={QUARTERS[4]: 19.0}))
    assert set(statuses(actions)) == {Status.ACCEPTED}


def test_neighbours_are_compared_on_one_share_basis() -> None:
    # 1:100 between the fourth and the fifth: a hundred times the cash per share is the same payment.
    day = QUARTERS[3] + timedelta(days=30)
    before, after = flat(50.0).filter(pl.col("session") < day), flat(5000.0).filter(pl.col("session") >= day)
    records = [cash(item, "0.20" if item < day else "20") for item in QUARTERS]
    reverse = RecordedSplit(day=day, split_from=100, split_to=1, source="massive")
    actions = judge([*records, reverse], pl.concat([before, after]))
    assert set(statuses(actions)) == {Status.ACCEPTED}


def test_dividend_of_the_day_of_a_split_is_set_against_the_price_on_its_basis() -> None:
    # 20:1 on the ex-date: 1.20 of a share that closed at 20 before, which is 1 on the new basis.
    day = QUARTERS[2]
    days = pl.concat([flat(20.0).filter(pl.col("session") < day), flat(1.0).filter(pl.col("session") >= day)])
    twenty = RecordedSplit(day=day, split_from=1, split_to=20, source="massive")
    actions = judge([cash(day, "1.20"), twenty], days)
    assert {action.status for action in actions if action.cash} == {Status.SUSPECTED}


def test_equal_rows_are_one_and_two_kinds_of_payment_on_a_day_are_two() -> None:
    day = QUARTERS[0]
    actions = judge([cash(day, "0.5"), cash(day, "0.50"), cash(day, "0.5", distribution="SC")], flat(50.0))
    assert [(action.status, action.evidence.get("recorded_times")) for action in actions] == [
        (Status.ACCEPTED, 2),
        (Status.ACCEPTED, None),
    ]


def test_same_payment_on_two_days_is_suspected_twice_where_prices_do_not_tell() -> None:
    day = QUARTERS[0]
    assert statuses(judge([cash(day, "0.5"), cash(day + timedelta(days=1), "0.5")], NOTHING)) == {Status.SUSPECTED: 2}


def test_weekly_payments_are_no_duplicates() -> None:
    records = [cash(QUARTERS[0] + timedelta(days=7 * week), "0.1") for week in range(10)]
    assert set(statuses(judge(records, flat(50.0)))) == {Status.ACCEPTED}


@pytest.mark.parametrize(
    ("amount", "reason"),
    [("0", "cash_is_not_positive"), ("-0.2", "cash_is_not_positive"), ("NaN", "cash_is_no_number")],
)
def test_cash_that_cannot_be_is_rejected(amount: str, reason: str) -> None:
    (action,) = judge([cash(QUARTERS[0], amount)], flat(50.0))
    assert (action.status, action.evidence["reason"]) == (Status.REJECTED, reason)


def test_cash_in_another_currency_is_suspected() -> None:
    (action,) = judge([cash(QUARTERS[0], "0.2", currency="CAD")], flat(50.0))
    assert (action.status, action.evidence["reason"]) == (Status.SUSPECTED, "paid_in_another_currency")
    (action,) = judge([cash(QUARTERS[0], "0.2", currency="CAD")], flat(50.0), currency="cad")
    assert action.status is Status.ACCEPTED


def test_coming_dividend_is_accepted_on_its_record() -> None:
    (action,) = judge([cash(date(2031, 1, 2), "0.2")], flat(50.0))
    assert (action.status, action.evidence["reason"]) == (Status.ACCEPTED, "not_yet_due")
