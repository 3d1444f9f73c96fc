"""Recorded splits against prices: the provider's defects, on real tapes and on the real records of SHOP."""

import json
import random
from datetime import date, timedelta
from fractions import Fraction
from pathlib import Path

import polars as pl
import pytest

from chandlery.market.actions import Action, ActionKind, RecordedSplit, RecordedTicker, Status
from chandlery.market.verdicts import DAY_PRICE_SCHEMA, judge

SHARED = Path(__file__).resolve().parents[3].parent / "shared" / "data"
TAPES = SHARED / "tapes"
NOTHING = pl.DataFrame(schema=DAY_PRICE_SCHEMA)
WIKI = ("AAPL", "BA", "EBAY", "GE")


def split(day: date, ratio: Fraction | int, source: str = "massive") -> RecordedSplit:
    """Return a split of `ratio` new shares per old one."""
    exact = Fraction(ratio)
    return RecordedSplit(day=day, split_from=exact.denominator, split_to=exact.numerator, source=source)


def tape(symbol: str) -> pl.DataFrame:
    if not TAPES.exists():
        pytest.skip("the shared tapes are not on this machine")
    return pl.read_parquet(TAPES / "us_daily" / f"{symbol}.parquet").sort("session")


def true_splits(days: pl.DataFrame) -> list[tuple[int, Fraction]]:
    """Return the place and ratio of every split that the publisher's own column knows."""
    return [
        (place, Fraction(ratio).limit_denominator(100))
        for place, ratio in enumerate(days["split_ratio"].to_list())
        if ratio != 1
    ]


def weekdays(first: date, count: int) -> list[date]:
    days = (first + timedelta(days=step) for step in range(2 * count))
    return [day for day in days if day.weekday() < 5][:count]


def walk(
    jumps: dict[date, float], *, first: date = date(2022, 3, 1), count: int = 120, start: float = 400.0
) -> pl.DataFrame:
    """Return prices of 1 % a day on weekdays that are multiplied by `jumps` on their days."""
    dice, price, rows = random.Random(7), start, []
    for day in weekdays(first, count):
        price *= jumps.get(day, 1.0)
        opening = price * (1 + dice.gauss(0, 0.004))
        price = opening * (1 + dice.gauss(0, 0.009))
        rows.append((day, opening, price))
    return pl.DataFrame(rows, schema=DAY_PRICE_SCHEMA, orient="row")


def only(actions: tuple[Action, ...]) -> Action:
    assert len(actions) == 1
    return actions[0]


@pytest.mark.parametrize("symbol", WIKI)
def test_every_split_of_the_real_tapes_is_proven_by_its_prices(symbol: str) -> None:
    days = tape(symbol)
    true = true_splits(days)
    records = [split(days["session"][place], ratio, "wiki") for place, ratio in true]
    actions = judge(records, days)
    assert [(item.ex_date, item.ratio) for item in actions] == [(days["session"][place], r) for place, r in true]
    assert {(item.status, item.evidence["reason"]) for item in actions} == {(Status.ACCEPTED, "prices_jump")}


@pytest.mark.parametrize("symbol", WIKI)
@pytest.mark.parametrize("late", [-1, 1])
def test_split_recorded_a_session_off_is_moved_to_its_jump(symbol: str, late: int) -> None:
    days = tape(symbol)
    for place, ratio in true_splits(days):
        action = only(judge([split(days["session"][place + late], ratio)], days))
        assert (action.status, action.ex_date) == (Status.ACCEPTED, days["session"][place])
        assert action.evidence["reason"] == "prices_jump_on_another_session"
        assert action.evidence["recorded"] == str(days["session"][place + late])


@pytest.mark.parametrize("symbol", WIKI)
@pytest.mark.parametrize("late", [-7, -3, 3, 7])
def test_split_recorded_further_off_is_suspected(symbol: str, late: int) -> None:
    days = tape(symbol)
    for place, ratio in true_splits(days):
        action = only(judge([split(days["session"][place + late], ratio)], days))
        assert (action.status, action.evidence["reason"]) == (Status.SUSPECTED, "prices_do_not_jump")


@pytest.mark.parametrize("symbol", WIKI)
def test_split_recorded_with_another_ratio_is_suspected(symbol: str) -> None:
    days = tape(symbol)
    for place, ratio in true_splits(days):
        action = only(judge([split(days["session"][place], 1 / ratio)], days))
        assert action.status is Status.SUSPECTED


def test_records_where_nothing_happened_do_not_pass_on_real_prices() -> None:
    # 4,000 invented 2:1, 3:1, 3:2, 1:2 and 1:10 records on days of the tapes that are no splits: at most 1 in 1,000
    # lies on a day that looks like one (a real crash, so both readings are open).
    dice, passed, tried = random.Random(3), 0, 0
    for symbol in WIKI:
        days = tape(symbol)
        near = {place + step for place, _ in true_splits(days) for step in range(-12, 13)}
        for _ in range(1000):
            place = dice.randrange(70, days.height - 5)
            if place not in near:
                ratio = dice.choice([Fraction(2), Fraction(3), Fraction(3, 2), Fraction(1, 2), Fraction(1, 10)])
                actions = judge([split(days["session"][place], ratio)], days[max(0, place - 70) : place + 5])
                passed, tried = passed + (only(actions).status is Status.ACCEPTED), tried + 1
    assert tried > 3500
    assert passed <= tried // 1000


def test_crash_without_a_record_is_no_action() -> None:
    assert judge([], tape("AAPL")) == ()


def shop() -> list[RecordedSplit]:
    if not SHARED.exists():
        pytest.skip("the shared data is not on this machine")
    recorded = next((SHARED / "polygon").rglob("splits.json"))
    rows = json.loads(recorded.read_text())["results"]
    return [
        RecordedSplit(
            day=date.fromisoformat(row["execution_date"]),
            split_from=row["split_from"],
            split_to=row["split_to"],
            source="massive",
        )
        for row in rows
        if row["ticker"] == "SHOP"
    ]


def test_split_recorded_on_two_dates_counts_once_where_the_price_jumps() -> None:
    records = shop()
    assert {record.day for record in records} == {date(2022, 6, 22), date(2022, 6, 29)}
    actions = judge(records, walk({date(2022, 6, 29): 0.1}))
    assert [(item.ex_date, item.status) for item in actions] == [
        (date(2022, 6, 22), Status.REJECTED),
        (date(2022, 6, 29), Status.ACCEPTED),
    ]
    assert actions[0].evidence["duplicate_of"] == "2022-06-29"


def test_split_recorded_on_two_dates_is_suspected_twice_without_prices() -> None:
    actions = judge(shop(), NOTHING)
    assert [item.status for item in actions] == [Status.SUSPECTED, Status.SUSPECTED]
    assert actions[0].evidence["collides_with"] == "2022-06-29"


def test_split_recorded_on_two_dates_is_suspected_twice_before_the_jump() -> None:
    until_the_28th = walk({}).filter(pl.col("session") <= date(2022, 6, 28))
    assert [item.status for item in judge(shop(), until_the_28th)] == [Status.SUSPECTED, Status.SUSPECTED]


def test_two_true_splits_within_ten_days_both_count() -> None:
    first, second = date(2022, 6, 22), date(2022, 6, 29)
    actions = judge([split(first, 2), split(second, 2)], walk({first: 0.5, second: 0.5}))
    assert [(item.ex_date, item.status) for item in actions] == [(first, Status.ACCEPTED), (second, Status.ACCEPTED)]


def test_two_ratios_on_one_day_are_settled_by_the_price() -> None:
    day = date(2022, 6, 22)
    actions = judge([split(day, 2), split(day, 3)], walk({day: 1 / 3}))
    assert {(item.ratio, item.status) for item in actions} == {(3, Status.ACCEPTED), (2, Status.SUSPECTED)}


def test_equal_records_of_several_sources_are_one_action() -> None:
    day = date(2022, 6, 22)
    again = RecordedSplit(day=day, split_from=2, split_to=4, source="wiki")
    action = only(judge([split(day, 2), split(day, 2), again], walk({day: 0.5})))
    assert (action.status, action.evidence["recorded_times"]) == (Status.ACCEPTED, 3)


@pytest.mark.parametrize("ratio", [Fraction(3, 4), Fraction(1, 2), Fraction(3, 2), Fraction(1, 8), Fraction(20)])
def test_fractional_and_reverse_splits_are_seen(ratio: Fraction) -> None:
    day = date(2022, 6, 22)
    action = only(judge([split(day, ratio)], walk({day: float(1 / ratio)})))
    assert (action.status, action.evidence["reason"]) == (Status.ACCEPTED, "prices_jump")


def test_coming_split_is_accepted_on_its_record() -> None:
    action = only(judge([split(date(2030, 1, 2), 4)], walk({})))
    assert (action.status, action.evidence["reason"]) == (Status.ACCEPTED, "not_yet_due")


@pytest.mark.parametrize("days", [NOTHING, walk({}, first=date(2022, 9, 1))], ids=["no bars", "bars begin later"])
def test_split_without_prices_around_it_is_accepted_on_its_record(days: pl.DataFrame) -> None:
    action = only(judge([split(date(2022, 6, 22), 2)], days))
    assert (action.status, action.evidence["reason"]) == (Status.ACCEPTED, "on_record_alone")


def test_one_bar_off_by_the_ratio_is_no_split() -> None:
    day, after = date(2022, 6, 22), date(2022, 6, 23)
    action = only(judge([split(day, 10)], walk({day: 0.1, after: 10.0})))
    assert action.status is Status.SUSPECTED


def test_split_of_a_day_without_a_session_acts_on_the_next() -> None:
    saturday, monday = date(2022, 6, 18), date(2022, 6, 20)
    action = only(judge([split(saturday, 2)], walk({monday: 0.5})))
    assert (action.status, action.ex_date) == (Status.ACCEPTED, saturday)


def test_ratio_lost_in_a_days_trading_is_accepted_on_its_record() -> None:
    day = date(2022, 6, 22)
    action = only(judge([split(day, Fraction(101, 100))], walk({})))
    assert (action.status, action.evidence["reason"]) == (Status.ACCEPTED, "too_small_for_these_prices")


@pytest.mark.parametrize(
    ("split_from", "split_to", "reason"),
    [
        (1, 1, "ratio_is_one"),
        (3, 3, "ratio_is_one"),
        (0, 2, "ratio_is_not_positive"),
        (1, 0, "ratio_is_not_positive"),
        (-1, 2, "ratio_is_not_positive"),
        (1, 100_000, "ratio_is_absurd"),
        (100_000, 1, "ratio_is_absurd"),
    ],
)
def test_ratio_that_cannot_be_is_rejected(split_from: int, split_to: int, reason: str) -> None:
    record = RecordedSplit(day=date(2022, 6, 22), split_from=split_from, split_to=split_to, source="massive")
    action = only(judge([record], walk({})))
    assert (action.status, action.evidence["reason"]) == (Status.REJECTED, reason)


def test_prices_that_are_none_are_no_evidence() -> None:
    days = pl.DataFrame(
        {"session": weekdays(date(2022, 6, 1), 30), "open": [float("nan")] * 30, "close": [0.0] * 30},
        schema=DAY_PRICE_SCHEMA,
    )
    assert only(judge([split(date(2022, 6, 22), 2)], days)).evidence["reason"] == "on_record_alone"


def test_verdicts_do_not_depend_on_the_order_of_records_nor_change_with_later_bars() -> None:
    records = [*shop(), split(date(2022, 5, 3), 3)]
    days = walk({date(2022, 6, 29): 0.1})
    soon = days.filter(pl.col("session") <= date(2022, 7, 5))
    assert judge(records, days) == judge(records[::-1], days) == judge(records, soon)


def test_tickers_change_once_and_repeated_events_are_rejected() -> None:
    events = [
        RecordedTicker(day=date(2012, 5, 18), ticker="FB", source="massive"),
        RecordedTicker(day=date(2022, 6, 9), ticker="META", source="massive"),
        RecordedTicker(day=date(2022, 6, 11), ticker="META", source="massive"),
    ]
    actions = judge(events, NOTHING)
    assert {item.kind for item in actions} == {ActionKind.TICKER_CHANGE}
    assert [(item.evidence["ticker"], item.status) for item in actions] == [
        ("FB", Status.ACCEPTED),
        ("META", Status.ACCEPTED),
        ("META", Status.REJECTED),
    ]
