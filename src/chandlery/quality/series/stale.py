"""Rules on prices that stand still: a feed that repeats its last bar, a day without any trade."""

from collections.abc import Iterator
from datetime import timedelta

import polars as pl

from chandlery.market.timeframes import Timeframe
from chandlery.quality.findings import Severity
from chandlery.quality.rules.rule import TRADED
from chandlery.quality.series._absence import Absence
from chandlery.quality.series._habits import is_filler
from chandlery.quality.series.rule import Hit, SeriesRule, hits_frame, no_hits
from chandlery.quality.series.view import LOOKBACK, SeriesView
from chandlery.quality.thresholds import Threshold
from chandlery.quality.verdicts import Says, Vote

STALE_MINUTES = Threshold(
    "stale_minutes",
    30.0,
    5.0,
    390.0,
    "Minutes with the same open, high, low and close, traded all of them: half an hour at one price is a feed that "
    "repeats itself, in a symbol that usually moves.",
)
STALE_DAYS = Threshold(
    "stale_days",
    5.0,
    3.0,
    60.0,
    "Days with the same open, high, low and close, traded all of them: a week at one price, to the cent, in a symbol "
    "that usually moves.",
)
STALE_HABIT = Threshold(
    "stale_habit_share",
    0.5,
    0.05,
    1.0,
    "Share of bars equal to the one before from which on a symbol does not move by itself and is not judged: at one "
    "half, chance repeats 30 bars in one of 500 million places.",
)
QUIET_DAY = Threshold(
    "quiet_day_share",
    0.1,
    0.0,
    1.0,
    "Share of the median volume that the quietest twentieth of 60 days trades before a day without any is strange; "
    "thin symbols have such days by themselves.",
)
_PRICES = ("open", "high", "low", "close")
_HABIT = 20
_FEWEST = 5


def _price_does_not_stand_still(view: SeriesView) -> pl.DataFrame:
    is_day = view.timeframe is Timeframe.D1
    least = int(view.value(STALE_DAYS if is_day else STALE_MINUTES))
    bars = view.marked.filter("is_regular")
    same = pl.all_horizontal(pl.col(name) == pl.col(name).shift(1) for name in _PRICES)
    if view.has_volume:
        same &= (pl.col("volume") > 0) & (pl.col("volume").shift(1) > 0)
    if not is_day:
        same &= pl.col("session") == pl.col("session").shift(1)
    repeats = bars.select(same.fill_null(value=False).alias("same"))["same"]
    if repeats.sum() < least - 1:
        return no_hits()
    runs = (
        bars.select("ts", "session", "close", "volume", same=repeats, run=(~repeats).cum_sum())
        .filter(pl.len().over("run") >= least)
        .partition_by("run", maintain_order=True)
    )
    share = _usual_share(view, bars, repeats)
    found = [run for run in runs if run["session"][-1] >= view.start]
    return hits_frame(_stale_hits(view, found, share))


def _usual_share(view: SeriesView, bars: pl.DataFrame, repeats: pl.Series) -> pl.DataFrame:
    """Usual share of repeated bars by session: the median of 20 sessions before, or the mean of 20 days before."""
    by_day = bars.select("session", repeats=repeats).group_by("session").agg(pl.col("repeats").mean()).sort("session")
    if view.timeframe is Timeframe.D1:
        usual = pl.col("repeats").rolling_mean(_HABIT, min_samples=_FEWEST)
    else:
        usual = pl.col("repeats").rolling_median(_HABIT, min_samples=_FEWEST)
    return by_day.select("session", usual=usual.shift(1))


def _stale_hits(view: SeriesView, runs: list[pl.DataFrame], share: pl.DataFrame) -> Iterator[Hit]:
    usual = {session: value for session, value in share.iter_rows() if value is not None}
    closes = dict(view.sessions.select("session", "close").iter_rows())
    absence = Absence(view)
    for run in runs:
        first = run.row(0, named=True)
        habit = usual.get(first["session"])
        if habit is None or habit > view.value(STALE_HABIT):
            continue
        is_day = view.timeframe is Timeframe.D1
        ends = closes[run["session"][-1]] if is_day else run["ts"][-1] + timedelta(minutes=1)
        votes = absence.halts([(first["ts"], ends)], needed=(ends - first["ts"]) / timedelta(minutes=1))
        if view.has_volume and run["volume"].n_unique() == 1:
            votes.append(Vote("arithmetic", Says.DEFECT, {"equal_volumes": run.height}))
        yield Hit(
            ts=first["ts"],
            ts_end=ends,
            session=first["session"],
            last_session=run["session"][-1],
            values={"close": first["close"], "bars": run.height, "usual_share": habit},
            votes=votes,
        )


def _day_shows_trades(view: SeriesView) -> pl.DataFrame:
    usual, quiet = (
        pl.col("volume").rolling_quantile(share, "linear", LOOKBACK, min_samples=_FEWEST).shift(1)
        for share in (0.5, 0.05)
    )
    days = view.marked.filter("is_regular").with_columns(before=pl.col("close").shift(1), usual=usual, quiet=quiet)
    trades = (pl.col("usual") > 0) & (pl.col("quiet") >= view.value(QUIET_DAY) * pl.col("usual"))
    found = days.filter(is_filler(), trades, pl.col("session") >= view.start)
    absence = Absence(view)
    rows = view.sessions.join(found, on="session", how="semi").select("session", "open", "close").iter_rows()
    hours = {session: (opens, closes) for session, opens, closes in rows}
    return hits_frame(
        Hit(
            ts=row["ts"],
            session=row["session"],
            values={"close": row["close"], "usual_volume": row["usual"]},
            votes=[
                *absence.halts([hours[row["session"]]], needed=1),
                *absence.others([row["session"]]),
                *_moved(row["close"], row["before"]),
            ],
        )
        for row in found.iter_rows(named=True)
    )


def _moved(close: float, before: float | None) -> list[Vote]:
    if before is None or close == before:
        return []
    return [Vote("arithmetic", Says.DEFECT, {"close_before": before})]


RULES = (
    SeriesRule(
        "price_does_not_stand_still",
        14,
        Severity.MINOR,
        "In a symbol that moves (at most half of its bars repeat the one before) no 30 minutes of a session, and no 5 "
        "days, have the same open, high, low and close while volume is traded. Equal volumes as well confirm that the "
        "feed repeats itself; a halt explains it.",
        _price_does_not_stand_still,
        thresholds=(STALE_MINUTES, STALE_DAYS, STALE_HABIT),
    ),
    SeriesRule(
        "day_shows_trades",
        14,
        Severity.MINOR,
        "A symbol that trades every day (of 60 days the quietest twentieth a tenth of the median) has no day bar "
        "without volume and with one price. Another record with volume, or a price that moved without a trade, "
        "confirms it; a halt explains it.",
        _day_shows_trades,
        asset_classes=TRADED,
        timeframes=frozenset({Timeframe.D1}),
        thresholds=(QUIET_DAY,),
    ),
)
