"""What the audit makes of findings."""

from datetime import UTC, date, datetime, timedelta

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chandlery.errors import InvalidInput
from chandlery.market.bars import BAR_SCHEMA
from chandlery.market.symbols import AssetClass, Instrument
from chandlery.market.timeframes import Timeframe
from chandlery.quality.audit import audit
from chandlery.quality.context import AuditContext
from chandlery.quality.findings import FINDING_SCHEMA, Severity, empty_offences
from chandlery.quality.rules.rule import Rule

OPEN = datetime(2016, 2, 9, tzinfo=UTC)
DAY = pl.DataFrame(
    {
        "calendar": ["24/7"],
        "session": [date(2016, 2, 9)],
        "open": [OPEN],
        "close": [OPEN + timedelta(days=1)],
        "day_ts": [OPEN],
        "week_ts": [OPEN - timedelta(days=1)],
        "is_early": [False],
    }
).with_columns(pl.col("open", "close", "day_ts", "week_ts").dt.cast_time_unit("us"))
CONTEXT = AuditContext(
    Instrument(6, "X:BTCUSD", AssetClass.CRYPTO, "24/7"), Timeframe.M1, date(2016, 2, 9), date(2016, 2, 10), DAY
)


def bars_of(*highs: float) -> pl.DataFrame:
    n = len(highs)
    return pl.DataFrame(
        {
            "ts": [OPEN + timedelta(minutes=k) for k in range(n)],
            "open": [10.0] * n,
            "high": list(highs),
            "low": [9.0] * n,
            "close": [10.0] * n,
            "volume": [0.5] * n,
            "vwap": [None] * n,
            "trade_count": [None] * n,
        },
        schema=BAR_SCHEMA,
    )


def test_three_held_rows_of_four_do_not_block() -> None:
    verdict = audit(bars_of(1, 1, 1, 11), CONTEXT)
    assert verdict.held == (0, 1, 2)
    assert not verdict.blocked
    assert verdict.passed["high"].to_list() == [11.0]


def test_four_held_rows_of_four_block_the_batch() -> None:
    verdict = audit(bars_of(1, 1, 1, 1), CONTEXT)
    assert verdict.blocked
    assert verdict.passed.is_empty()


def test_five_percent_held_does_not_block_and_more_does() -> None:
    assert not audit(bars_of(*[1.0] * 5, *[11.0] * 95), CONTEXT).blocked
    assert audit(bars_of(*[1.0] * 6, *[11.0] * 94), CONTEXT).blocked


def test_bar_of_several_critical_findings_is_held_once_with_all_rules() -> None:
    bars = bars_of(11, 11).with_columns(low=pl.Series([-1.0, 9.0]), high=pl.Series([-2.0, 11.0]))
    verdict = audit(bars, CONTEXT)
    assert verdict.held == (0,)
    assert verdict.held_rules == (("high_covers_body", "prices_are_positive"),)


def test_copies_are_held_and_the_first_passes() -> None:
    bars = pl.concat([bars_of(11, 12), bars_of(11)])
    verdict = audit(bars, CONTEXT)
    assert verdict.held == (2,)
    assert verdict.passed["ts"].is_unique().all()
    assert verdict.passed.height == 2


def test_conflicting_bars_are_all_held() -> None:
    verdict = audit(pl.concat([bars_of(11, 12), bars_of(13)]), CONTEXT)
    assert verdict.held == (0, 2)


def test_passed_bars_are_sorted_whatever_the_arrival_order() -> None:
    assert audit(bars_of(11, 12, 13).reverse(), CONTEXT).passed["high"].to_list() == [11.0, 12.0, 13.0]


def test_one_finding_per_instant_and_rule() -> None:
    verdict = audit(pl.concat([bars_of(11), bars_of(12), bars_of(13)]), CONTEXT)
    keys = verdict.findings.filter(pl.col("rule") == "key_is_unique")
    assert keys["row"].to_list() == [0]


def test_rule_that_cannot_run_becomes_a_finding_about_itself() -> None:
    def broken(bars: pl.DataFrame, _: AuditContext) -> pl.DataFrame:
        return bars.select("no_such_column")

    verdict = audit(bars_of(11), CONTEXT, rules=[Rule("rule_is_broken", 1, Severity.CRITICAL, "Never.", broken)])
    (row,) = verdict.findings.iter_rows(named=True)
    assert (row["rule"], row["severity"], row["ts"], row["row"]) == ("rule_is_broken", "major", OPEN, None)
    assert "no_such_column" in row["evidence"]
    assert verdict.held == ()
    assert not verdict.statistics[0].ran


def test_defect_of_a_rule_that_is_no_frame_error_is_not_hidden() -> None:
    def broken(_: pl.DataFrame, __: AuditContext) -> pl.DataFrame:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        audit(bars_of(11), CONTEXT, rules=[Rule("rule_is_broken", 1, Severity.MAJOR, "Never.", broken)])


def test_bar_without_ts_is_held_and_its_finding_has_one() -> None:
    bars = bars_of(11, 12).with_columns(ts=pl.Series([None, OPEN], dtype=BAR_SCHEMA["ts"]))
    verdict = audit(bars, CONTEXT)
    assert verdict.held == (0,)
    assert verdict.findings["ts"].null_count() == 0
    assert verdict.findings["session"].null_count() == 0


def test_frame_without_a_bar_column_is_refused() -> None:
    with pytest.raises(InvalidInput, match="vwap"):
        audit(bars_of(11).drop("vwap"), CONTEXT)


def test_reversed_window_is_refused() -> None:
    with pytest.raises(InvalidInput):
        AuditContext(CONTEXT.instrument, Timeframe.M1, date(2016, 2, 10), date(2016, 2, 10), DAY)


def test_empty_offences_have_the_finding_columns() -> None:
    assert set(empty_offences().columns) < set(FINDING_SCHEMA)


VALUES = st.one_of(st.none(), st.floats(allow_nan=True, allow_infinity=True), st.just(10.0))


@settings(max_examples=60, deadline=None)
@given(rows=st.lists(st.tuples(st.integers(0, 5), VALUES, VALUES, VALUES, VALUES, VALUES), max_size=12))
def test_every_row_is_held_or_passes_and_what_passes_is_sound(
    rows: list[tuple[int, *tuple[float | None, ...]]],
) -> None:
    names = ("open", "high", "low", "close", "volume")
    bars = pl.DataFrame(
        {
            "ts": [OPEN + timedelta(minutes=row[0]) for row in rows],
            **{name: [row[place + 1] for row in rows] for place, name in enumerate(names)},
            "vwap": [None] * len(rows),
            "trade_count": [None] * len(rows),
        },
        schema=BAR_SCHEMA,
    )
    verdict = audit(bars, CONTEXT)
    passed = verdict.passed
    assert all(item.ran for item in verdict.statistics)
    assert verdict.blocked or passed.height + len(verdict.held) == bars.height
    assert passed["ts"].is_unique().all()
    for high, low, top, bottom, volume in passed.select(
        "high",
        "low",
        pl.max_horizontal("open", "close").alias("top"),
        pl.min_horizontal("open", "close").alias("bottom"),
        "volume",
    ).iter_rows():
        assert high >= top * (1 - 1e-9) > 0
        assert 0 < low <= bottom * (1 + 1e-9)
        assert 0 <= volume < float("inf")
