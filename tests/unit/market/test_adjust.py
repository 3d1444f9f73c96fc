"""Adjustment by hand, against plain fractions, and its laws."""

import json
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from chandlery.errors import InvalidInput
from chandlery.market.actions import Action, ActionKind, Status
from chandlery.market.adjust import (
    Adjustment,
    AdjustmentSpan,
    DividendMethod,
    adjust_bars,
    adjustment_table,
    method_of,
)

START = date(2024, 1, 1)


def day(number: int) -> date:
    return START + timedelta(days=number)


def split(number: int, ratio: Fraction | int, status: Status = Status.ACCEPTED) -> Action:
    exact = Fraction(ratio)
    return Action(
        kind=ActionKind.SPLIT,
        ex_date=day(number),
        status=status,
        evidence={},
        source="massive",
        split_from=exact.denominator,
        split_to=exact.numerator,
    )


def cash(number: int, amount: str, *, source: str = "massive", status: Status = Status.ACCEPTED) -> Action:
    return Action(
        kind=ActionKind.CASH_DIVIDEND,
        ex_date=day(number),
        status=status,
        evidence={},
        source=source,
        cash=Decimal(amount),
        currency="USD",
    )


def bars(closes: list[float]) -> pl.DataFrame:
    rows = {
        "session": [day(number) for number in range(len(closes))],
        "open": [price - 0.5 for price in closes],
        "high": [price + 1 for price in closes],
        "low": [price - 1 for price in closes],
        "close": closes,
        "volume": [1000.0 + number for number in range(len(closes))],
        "vwap": [None if number % 3 == 0 else price for number, price in enumerate(closes)],
        "trade_count": list(range(len(closes))),
        "turnover": [price * 1000.0 for price in closes],
    }
    return pl.DataFrame(rows, schema_overrides={"vwap": pl.Float64})


def factors(actions: list[Action], closes: list[float], **choices: object) -> list[Fraction]:
    """Return the price factor of every session."""
    frame = bars(closes)
    spans = adjustment_table(actions, frame, **{"kind": "all", **choices})  # type: ignore[arg-type]
    return [factor_of(spans, session) for session in frame["session"]]


def factor_of(spans: tuple[AdjustmentSpan, ...], session: date) -> Fraction:
    inside = [s for s in spans if (s.valid_from is None or s.valid_from <= session) and session < s.valid_to]
    assert len(inside) <= 1
    return inside[0].price if inside else Fraction(1)


@pytest.mark.parametrize(
    ("ratio", "before"),
    [
        (Fraction(2), 40.0),
        (Fraction(3, 2), 30.0),
        (Fraction(3, 4), 15.0),
        (Fraction(1, 2), 10.0),
        (Fraction(1, 8), 2.5),
    ],
)
def test_split_multiplies_earlier_prices_and_divides_earlier_volumes(ratio: Fraction, before: float) -> None:
    raw = bars([before, before, 20.0, 20.0])
    out = adjust_bars(raw, adjustment_table([split(2, ratio)], raw, kind="split"))
    assert out["close"].to_list() == [20.0] * 4
    assert out["volume"].to_list() == [float(1000 * ratio), float(1001 * ratio), 1002.0, 1003.0]
    assert out.select("trade_count", "turnover", "session").equals(raw.select("trade_count", "turnover", "session"))
    assert out["vwap"].to_list() == [None, 20.0, 20.0, None]


def test_several_splits_multiply_as_integers() -> None:
    spans = adjustment_table([split(3, Fraction(3, 2)), split(1, 2)], bars([60, 30, 30, 20]), kind="split")
    assert spans == (
        AdjustmentSpan(None, day(1), Fraction(1, 3), Fraction(3)),
        AdjustmentSpan(day(1), day(3), Fraction(2, 3), Fraction(3, 2)),
    )


def test_previous_close_method_is_one_minus_the_share_of_the_close_before() -> None:
    assert factors([cash(2, "0.5")], [48.0, 50.0, 49.5], method="prev_close") == [Fraction(99, 100)] * 2 + [1]


def test_ex_close_method_is_the_close_over_itself_and_the_cash() -> None:
    assert factors([cash(2, "0.5")], [48.0, 50.0, 49.5], method="ex_close") == [Fraction(99, 100)] * 2 + [1]
    assert factors([cash(2, "0.5")], [48.0, 50.0, 49.0], method="ex_close") == [Fraction(98, 99)] * 2 + [1]


def test_publisher_of_the_dividends_chooses_the_method() -> None:
    assert [method_of(name) for name in ("massive", "wiki", "replay+wiki", "wikis", "")] == [
        DividendMethod.PREV_CLOSE,
        DividendMethod.EX_CLOSE,
        DividendMethod.EX_CLOSE,
        DividendMethod.PREV_CLOSE,
        DividendMethod.PREV_CLOSE,
    ]
    assert factors([cash(1, "1", source="wiki")], [50.0, 40.0]) == [Fraction(40, 41), 1]
    assert factors([cash(1, "1")], [50.0, 40.0]) == [Fraction(49, 50), 1]


def test_dividend_of_the_day_of_a_split_counts_on_the_new_basis() -> None:
    # 100 before, 2:1, so 50 on the basis of the ex-date; 1 of it is 2 %.
    found = factors([cash(1, "1"), split(1, 2)], [100.0, 49.0])
    assert found == [Fraction(49, 50) / 2, 1]
    assert factors([cash(1, "1"), split(1, 2)], [100.0, 49.0], method="ex_close") == [Fraction(49, 50) / 2, 1]


def test_dividends_of_one_day_are_one_payment() -> None:
    assert factors([cash(1, "1"), cash(1, "4")], [50.0, 45.0]) == [Fraction(9, 10), 1]


def test_dividends_move_prices_and_leave_volumes() -> None:
    raw = bars([50.0, 49.0])
    out = adjust_bars(raw, adjustment_table([cash(1, "1")], raw, kind="all"))
    assert out["close"].to_list() == [49.0, 49.0]
    assert out["volume"].to_list() == raw["volume"].to_list()


def test_splits_alone_ignore_dividends_and_none_ignores_all() -> None:
    raw = bars([50.0, 49.0, 24.0])
    actions = [cash(1, "1"), split(2, 2)]
    assert [span.price for span in adjustment_table(actions, raw, kind=Adjustment.SPLIT)] == [Fraction(1, 2)]
    assert adjustment_table(actions, raw, kind="none") == ()
    assert adjust_bars(raw, ()) is raw


@pytest.mark.parametrize("status", [Status.SUSPECTED, Status.REJECTED])
def test_what_is_not_accepted_never_adjusts(status: Status) -> None:
    raw = bars([50.0, 49.0, 24.0])
    assert adjustment_table([split(1, 2, status), cash(2, "1", status=status)], raw, kind="all") == ()


def test_coming_action_is_inert_until_its_session_is_there() -> None:
    raw = bars([50.0, 49.0, 24.0])
    assert adjustment_table([split(2, 2), cash(2, "1")], raw[:2], kind="all") == ()
    assert len(adjustment_table([split(2, 2)], raw, kind="all")) == 1


def test_action_of_a_day_without_a_session_acts_from_the_next_one() -> None:
    raw = bars([50.0, 50.0, 50.0, 25.0]).filter(pl.col("session") != day(2))
    out = adjust_bars(raw, adjustment_table([split(2, 2)], raw, kind="split"))
    assert out["close"].to_list() == [25.0, 25.0, 25.0]


def test_sessions_from_the_basis_on_stay_as_they_are() -> None:
    raw = bars([60.0, 30.0, 30.0, 20.0])
    actions = [split(1, 2), split(3, Fraction(3, 2))]
    out = adjust_bars(raw, adjustment_table(actions, raw, kind="split", basis=day(2)))
    assert out["close"].to_list() == [30.0, 30.0, 30.0, 20.0]
    assert adjustment_table(actions, raw, kind="split", basis=day(99)) == adjustment_table(actions, raw, kind="split")
    assert adjustment_table(actions, raw, kind="split", basis=day(0)) == ()


def test_dividend_before_the_first_bar_adjusts_nothing() -> None:
    assert adjustment_table([cash(0, "1")], bars([50.0, 49.0]), kind="all") == ()


def test_nothing_is_adjusted_where_no_session_is_known() -> None:
    assert adjustment_table([split(1, 2)], bars([]), kind="all") == ()
    raw = bars([50.0])
    assert adjust_bars(raw[:0], adjustment_table([split(0, 2)], raw, kind="all")).is_empty()


def test_minutes_before_the_open_of_the_ex_date_are_on_the_new_basis() -> None:
    raw = bars([50.0, 50.0, 25.0])
    spans = adjustment_table([split(2, 2)], raw, kind="split")
    minutes = pl.DataFrame({"day": [day(1), day(2), day(2)], "close": [50.0, 25.1, 25.0], "volume": [7, 8, 9]})
    out = adjust_bars(minutes, spans, session="day")
    assert out["close"].to_list() == [25.0, 25.1, 25.0]
    assert out["volume"].to_list() == [14.0, 8.0, 9.0]


def test_dividend_not_below_the_close_before_is_refused() -> None:
    with pytest.raises(InvalidInput, match="not below the close before, 50"):
        adjustment_table([cash(1, "50")], bars([50.0, 49.0]), kind="all")


@pytest.mark.parametrize(
    ("choices", "words"), [({"kind": "dividends"}, "none split all"), ({"kind": "all", "method": "mean"}, "ex_close")]
)
def test_unknown_words_are_refused(choices: dict[str, str], words: str) -> None:
    with pytest.raises(InvalidInput, match=words):
        adjustment_table([], bars([50.0]), **choices)  # type: ignore[arg-type]


def test_bars_without_sessions_are_refused() -> None:
    with pytest.raises(InvalidInput, match="'session'"):
        adjust_bars(pl.DataFrame({"close": [1.0]}), ())


RATIOS = st.fractions(Fraction(1, 50), 50, max_denominator=50).filter(lambda ratio: ratio != 1)
PRICES = st.lists(st.floats(5.0, 1e5), min_size=4, max_size=12)


@given(PRICES, RATIOS)
def test_a_split_and_its_inverse_are_nothing_bit_for_bit(closes: list[float], ratio: Fraction) -> None:
    raw = bars(closes)
    spans = adjustment_table([split(2, ratio), split(3, 1 / ratio)], raw, kind="split")
    out = adjust_bars(raw, spans)
    assert_frame_equal(out[:2], raw[:2], check_exact=True)
    assert_frame_equal(out[3:], raw[3:], check_exact=True)


@given(PRICES, st.lists(st.tuples(st.integers(1, 11), RATIOS), max_size=4, unique_by=lambda item: item[0]))
def test_prices_are_the_floats_nearest_to_the_exact_products(
    closes: list[float], steps: list[tuple[int, Fraction]]
) -> None:
    raw = bars(closes)
    out = adjust_bars(raw, adjustment_table([split(*step) for step in steps], raw, kind="split"))
    for number, (price, volume) in enumerate(raw.select("close", "volume").iter_rows()):
        exact = Fraction(1)
        for ex_day, ratio in steps:
            exact *= ratio if number < ex_day < len(closes) else 1
        assert out["close"][number] == float(Fraction(price) / exact)
        assert out["volume"][number] == float(Fraction(volume) * exact)


@given(PRICES, st.lists(st.tuples(st.integers(1, 11), st.decimals("0.01", "4.99", places=2)), max_size=6))
def test_dividends_of_any_number_are_the_product_of_their_shares(
    closes: list[float], paid: list[tuple[int, Decimal]]
) -> None:
    raw = bars(closes)
    by_day: dict[int, Fraction] = {}
    for number, amount in paid:
        by_day[number] = by_day.get(number, Fraction(0)) + Fraction(amount)
    by_day = {number: total for number, total in by_day.items() if number < len(closes)}
    if any(total >= Fraction(closes[number - 1]) for number, total in by_day.items()):
        return
    out = adjust_bars(raw, adjustment_table([cash(n, str(a)) for n, a in paid], raw, kind="all"))
    for number, price in enumerate(closes):
        exact = Fraction(price)
        for ex_day, total in by_day.items():
            exact *= 1 - total / Fraction(closes[ex_day - 1]) if number < ex_day else 1
        assert out["close"][number] == pytest.approx(float(exact), rel=3e-16, abs=0)


@given(PRICES, RATIOS, st.integers(0, 12))
def test_later_basis_is_the_earlier_one_times_what_lies_between(
    closes: list[float], ratio: Fraction, number: int
) -> None:
    actions = [split(1, ratio), split(3, 2)]
    base = factors(actions, closes, basis=day(number))
    newest = factors(actions, closes)
    reference = newest[min(number, len(closes) - 1)]
    until = min(number, len(closes) - 1)
    assert [factor * reference for factor in base[: until + 1]] == newest[: until + 1]


def test_spans_adjoin_and_order_of_actions_does_not_matter() -> None:
    actions = [split(1, 2), cash(2, "1"), split(4, 3), cash(5, "2"), cash(2, "0.5")]
    raw = bars([100.0, 50.0, 49.0, 49.0, 16.0, 15.0])
    spans = adjustment_table(actions, raw, kind="all")
    assert spans == adjustment_table(actions[::-1], raw, kind="all")
    assert [span.valid_from for span in spans] == [None, *(span.valid_to for span in spans[:-1])]
    assert json.dumps([str(span.valid_to) for span in spans]) == json.dumps([str(day(n)) for n in (1, 2, 4, 5)])
