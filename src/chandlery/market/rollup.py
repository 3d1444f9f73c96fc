"""Candles from minutes as a frame: the marts' twin, for the reads they do not hold.

The marts keep regular hours, aligned to the session. Extended hours (a series of its own) and the vendor's alignment
are rolled up when they are asked for, by the same rules (docs/explanation/data.md).
"""

from datetime import UTC, datetime, timedelta
from typing import Literal

import polars as pl

from chandlery.errors import InvalidInput
from chandlery.market.bars import TS
from chandlery.market.finality import LATE, day_final_at
from chandlery.market.timeframes import CANDLE_TIMEFRAMES, Timeframe

Hours = Literal["regular", "extended"]
Alignment = Literal["session", "clock"]

CANDLE_SCHEMA: dict[str, pl.DataType | type[pl.DataType]] = {
    "ts": TS,
    "session": pl.Date,
    "open": pl.Float64,
    "high": pl.Float64,
    "low": pl.Float64,
    "close": pl.Float64,
    "volume": pl.Float64,
    "vwap": pl.Float64,
    "trade_count": pl.Int64,
    "turnover": pl.Float64,
    "bar_count": pl.Int32,
    "expected_count": pl.Int32,
    "is_final": pl.Boolean,
}
"""`ts` = open of the bucket; `session` = exchange-local date, of a week its Monday. vwap and turnover are null where a
trading minute has no vwap, vwap also where nothing traded; trade_count where a trading minute has none."""

_EDGES: dict[Hours, tuple[str, str]] = {"regular": ("open", "close"), "extended": ("pre_open", "post_close")}
_BY_CLOCK = (Timeframe.H1, Timeframe.H4)
"""The other lengths divide the half hour between a full hour and the open, so both alignments agree on them."""


def roll_up(
    minutes: pl.DataFrame,
    sessions: pl.DataFrame,
    timeframe: Timeframe,
    *,
    hours: Hours = "regular",
    alignment: Alignment = "session",
    zone: str,
    as_of: datetime,
    counts_fillers: bool = False,
    by: tuple[str, ...] = (),
) -> pl.DataFrame:
    """Return the candles of one instrument in `CANDLE_SCHEMA`, ascending by `ts`.

    Minutes outside the hours are left out, and fillers (volume 0 at one price) unless `counts_fillers`. A bucket
    without a minute has no candle. Prices and counts are exact, and so are sums of whole numbers.

    Args:
        minutes: `BAR_SCHEMA`, ascending and unique by `ts`; prices not null.
        sessions: `SESSION_SCHEMA` of the instrument's calendar, ascending; for weeks, whole Monday weeks.
        timeframe: 5m to 1w.
        hours: the regular session, or everything from `pre_open` to `post_close`.
        alignment: buckets from the opening of the hours, or the vendor's: 1h on the hour, 4h from local midnight.
        zone: the calendar's, in which a day becomes final at 11:00 of the next.
        as_of: the instant at which `is_final` is judged; has a zone.
        counts_fillers: true where no volume is ever published (indices).
        by: columns of `minutes` that tell several instruments of the calendar apart, `ts` being unique in each and
            ascending over all; they lead the result.

    Raises:
        InvalidInput: minutes are no candles, or `as_of` has no zone.
    """
    if timeframe not in CANDLE_TIMEFRAMES:
        raise InvalidInput(f"Timeframe was {timeframe}; candles are {', '.join(CANDLE_TIMEFRAMES)}.")
    if as_of.tzinfo is None:
        raise InvalidInput(f"As-of was {as_of.isoformat()} without a zone; add one, such as +00:00.")
    bars = _inside(minutes, _opened(sessions, hours, zone), counts_fillers=counts_fillers)
    placed = bars.with_columns(**_bucket(timeframe, alignment))
    return _finished(placed.group_by(*by, "session", "bucket", maintain_order=True).agg(**_sums()), as_of, by)


def _opened(sessions: pl.DataFrame, hours: Hours, zone: str) -> pl.DataFrame:
    """Return the sessions with the hours asked for, what each and its week expect, and when they are final."""
    start, end = _EDGES[hours]
    opened = sessions.sort(start).select(
        "session",
        "day_ts",
        "week_ts",
        opens_at=pl.col(start),
        closes_at=pl.col(end),
        monday=pl.col("session").dt.truncate("1w"),
        length=(pl.col(end) - pl.col(start)).dt.total_minutes(),
        final_at=day_final_at(zone),
    )
    return opened.with_columns(
        week_length=pl.col("length").sum().over("monday"), week_final_at=pl.col("final_at").max().over("monday")
    )


def _inside(minutes: pl.DataFrame, opened: pl.DataFrame, *, counts_fillers: bool) -> pl.DataFrame:
    """Return the minutes that count, each with its session."""
    if not counts_fillers:
        prices = [pl.col(name) == pl.col("open") for name in ("high", "low", "close")]
        minutes = minutes.filter(~pl.all_horizontal(pl.col("volume") == 0, *prices))
    joined = minutes.join_asof(opened, left_on="ts", right_on="opens_at", coalesce=False)
    return joined.filter(pl.col("ts") < pl.col("closes_at"))


def _bucket(timeframe: Timeframe, alignment: Alignment) -> dict[str, pl.Expr]:
    """Return session and open of a minute's bucket, the minutes expected in it and the instant it is final."""
    if timeframe is Timeframe.D1:
        return {"bucket": pl.col("day_ts"), "expected": pl.col("length"), "known_at": pl.col("final_at")}
    if timeframe.minutes is None:
        return {
            "session": pl.col("monday"),
            "bucket": pl.col("week_ts"),
            "expected": pl.col("week_length"),
            "known_at": pl.col("week_final_at"),
        }
    size = timedelta(minutes=timeframe.minutes)
    anchor = pl.col("day_ts" if alignment == "clock" and timeframe in _BY_CLOCK else "opens_at")
    start = anchor + pl.duration(
        minutes=(pl.col("ts") - anchor).dt.total_minutes() // timeframe.minutes * timeframe.minutes
    )
    end = pl.min_horizontal(start + size, "closes_at")
    expected = (end - pl.max_horizontal(start, "opens_at")).dt.total_minutes()
    return {"bucket": start, "expected": expected, "known_at": end + LATE}


def _sums() -> dict[str, pl.Expr]:
    """Return what a candle takes from its minutes; one that traded without a vwap or count leaves it unknown."""
    traded = pl.col("volume") > 0
    value = pl.when(traded).then(pl.col("vwap") * pl.col("volume")).otherwise(0.0)
    misses_vwap, misses_count = ((traded & pl.col(name).is_null()).any() for name in ("vwap", "trade_count"))
    unknown = misses_count | pl.col("trade_count").is_null().all()
    return {
        "open": pl.col("open").first(),
        "high": pl.col("high").max(),
        "low": pl.col("low").min(),
        "close": pl.col("close").last(),
        "volume": pl.col("volume").sum(),
        "turnover": pl.when(~misses_vwap).then(value.sum()),
        "trade_count": pl.when(~unknown).then(pl.col("trade_count").sum()),
        "bar_count": pl.len(),
        "expected_count": pl.col("expected").first(),
        "known_at": pl.col("known_at").first(),
    }


def _finished(candles: pl.DataFrame, as_of: datetime, by: tuple[str, ...]) -> pl.DataFrame:
    """Return the candles in `CANDLE_SCHEMA`, after the columns of `by`."""
    finished = candles.with_columns(
        ts=pl.col("bucket"),
        vwap=pl.when(pl.col("volume") > 0).then(pl.col("turnover") / pl.col("volume")),
        is_final=pl.col("known_at") <= as_of.astimezone(UTC),
    )
    shaped = [pl.col(name).cast(dtype) for name, dtype in CANDLE_SCHEMA.items()]
    return finished.select(*by, *shaped).sort(*by, "ts")
