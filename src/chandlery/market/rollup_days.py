"""Days and weeks from a source's own day bars."""

from datetime import datetime

import polars as pl

from chandlery.errors import InvalidInput
from chandlery.market.finality import day_final_at
from chandlery.market.timeframes import Timeframe


def roll_up_days(
    days: pl.DataFrame, sessions: pl.DataFrame, timeframe: Timeframe, *, zone: str, as_of: datetime
) -> pl.DataFrame:
    """Return day or week candles from day bars, ascending; a day that is no session of the calendar is left out.

    A week is labelled by local midnight of its Monday; open is the first day's, close the last one's, high and low the
    extremes, volume and count sums. vwap is volume-weighted, null if a day with volume has none. A candle counts days:
    `bar_count` of `expected_count`. It is final once its last session's day file is complete.

    Args:
        days: `BAR_SCHEMA`; `ts` is local midnight of the session.
        sessions: `SESSION_SCHEMA` over at least the weeks of the bars.
        timeframe: `1d` or `1w`.
        zone: the exchange's time zone.
        as_of: the instant that decides `is_final`.

    Raises:
        InvalidInput: another timeframe.
    """
    if timeframe not in {Timeframe.D1, Timeframe.W1}:
        raise InvalidInput(f"Day bars were to make {timeframe} candles; they make 1d and 1w.")
    key = "day_ts" if timeframe is Timeframe.D1 else "week_ts"
    known = sessions.select("session", "day_ts", "week_ts", day_final_at(zone).alias("final_at"))
    expected = known.group_by(key).agg(expected_count=pl.len(), final_at=pl.col("final_at").max())
    turnover = pl.col("vwap") * pl.col("volume")
    lacks_vwap = pl.col("vwap").is_null() & (pl.col("volume") > 0)
    candles = (
        days.join(known.drop("final_at"), left_on="ts", right_on="day_ts", coalesce=False)
        .sort("ts")
        .group_by(key, maintain_order=True)
        .agg(
            session=pl.col("session").min(),
            open=pl.col("open").first(),
            high=pl.col("high").max(),
            low=pl.col("low").min(),
            close=pl.col("close").last(),
            volume=pl.col("volume").sum(),
            turnover=pl.when(~lacks_vwap.any()).then(turnover.sum()),
            trade_count=pl.when(pl.col("trade_count").is_not_null().all()).then(pl.col("trade_count").sum()),
            bar_count=pl.len(),
        )
    )
    monday = pl.col("session") - pl.duration(days=pl.col("session").dt.weekday() - 1)
    shown = candles.join(expected, on=key).select(
        pl.col(key).alias("ts"),
        (pl.col("session") if timeframe is Timeframe.D1 else monday).alias("session"),
        *("open", "high", "low", "close", "volume"),
        pl.when(pl.col("volume") > 0).then(pl.col("turnover") / pl.col("volume")).alias("vwap"),
        *("trade_count", "turnover", "bar_count", "expected_count"),
        (pl.col("final_at") <= as_of).alias("is_final"),
    )
    return shown.sort("ts")
