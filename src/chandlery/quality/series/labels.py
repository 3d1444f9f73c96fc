"""Rules on what the label of a minute means: its start, as everywhere here, or its end, as with some vendors.

A session of 391 rows from 09:30 to 16:00 has two opposite readings. Labelled by the end, the row of 09:30 is the
opening print alone and the row of 16:00 a whole minute; labelled by the start, the row of 09:30 is a whole minute, the
busiest, and the row of 16:00 the closing print alone. The price range of the two rows tells them apart, and needs no
volume, so that it serves an index too.
"""

import polars as pl

from chandlery.market.symbols import AssetClass
from chandlery.market.timeframes import Timeframe
from chandlery.quality.findings import Severity
from chandlery.quality.series.rule import Hit, SeriesRule, hits_frame
from chandlery.quality.series.view import SeriesView
from chandlery.quality.thresholds import Threshold
from chandlery.quality.verdicts import Says, Vote

LABEL_PRINT = Threshold(
    "label_print_share",
    0.5,
    0.1,
    1.0,
    "Range of the row at the close over the median range of the ten rows before it: a whole minute has about 1, a "
    "closing print near 0.",
)
LABEL_OPENING = Threshold(
    "label_opening_times",
    3.0,
    1.5,
    20.0,
    "Volume of the minute after the open over that of the row labelled with the open, where extended hours are "
    "published: the opening trades ten times a minute of the pre-market, and more than the minute after it.",
)
END_SCHEMA: dict[str, pl.DataType | type[pl.DataType]] = {
    "session": pl.Date,
    "open": pl.Datetime("us", "UTC"),
    "close": pl.Datetime("us", "UTC"),
    "grid": pl.String,
    "close_range": pl.Float64,
    "open_range": pl.Float64,
    "open_volume": pl.Float64,
    "agreeing": pl.Float64,
}
"""One row a session labelled by the end. `grid`: shifted (09:31 to 16:00), both (09:30 to 16:00) or extended.

Medians over up to 20 sessions: `close_range` as in the threshold; `open_range` the range of the row at the open over
that of the next; `open_volume` as in the threshold. `agreeing`: share of those sessions that say so each by itself.
"""
_WINDOW, _FEWEST = 20, 10
_NARROWER = 0.75
"""The opening print has at most this share of the range of the first whole minute, at the median."""
_AGREEING = 2 / 3
_COMPLETE = 0.95
_LEAST = 3
"""Fewer sessions do not repeat anything."""


def end_labelled(view: SeriesView) -> pl.DataFrame:
    """Return the sessions of `view` whose minutes are labelled by their end, ascending, in `END_SCHEMA`.

    Sessions without a row at their close are labelled by the start. A market that never closes cannot be judged.
    """
    closes = view.sessions.select("session", "close")
    labelled = view.marked.select("ts", "session").join(
        closes, left_on=["session", "ts"], right_on=["session", "close"]
    )
    if labelled.is_empty() or view.never_closes:
        return pl.DataFrame(schema=END_SCHEMA)
    shapes = _shapes(view, labelled["session"])
    is_print = pl.col("close_range") < view.value(LABEL_PRINT)
    is_late = pl.col("open_volume") >= view.value(LABEL_OPENING)
    is_narrow = pl.col("open_range") <= _NARROWER
    is_end = pl.when(pl.col("grid") == "shifted").then(~is_print)
    judged = is_end.when(pl.col("grid") == "both").then(~is_print & is_narrow).otherwise(is_late)
    alone = is_end.when(pl.col("grid") == "both").then(~is_print & (pl.col("open_range") < 1)).otherwise(is_late)
    agreeing = shapes.select(_usual(alone.fill_null(value=False).cast(pl.Float64), mean=True).alias("agreeing"))
    usual = shapes.with_columns(_usual(pl.col(name)) for name in ("close_range", "open_range", "open_volume"))
    found = usual.with_columns(agreeing).filter(judged.fill_null(value=False))
    return found.select(*END_SCHEMA).sort("session")


def _usual(values: pl.Expr, *, mean: bool = False) -> pl.Expr:
    """Median (or mean) of the session and the 19 before it; of the first 20 where fewer than 10 are."""
    first = values.head(_WINDOW)
    if mean:
        return values.rolling_mean(_WINDOW, min_samples=_FEWEST).fill_null(first.mean())
    return values.rolling_median(_WINDOW, min_samples=_FEWEST).fill_null(first.median())


def _shapes(view: SeriesView, days: pl.Series) -> pl.DataFrame:
    """What the rows around open and close of each session look like, ascending."""
    hours = view.sessions.filter(pl.col("session").is_in(days.implode())).select("session", "open", "close")
    length = (pl.col("close") - pl.col("open")).dt.total_minutes()
    rows = (
        view.marked.select("session", "minute", "volume", reach=(pl.col("high") - pl.col("low")) / pl.col("close"))
        .join(hours.select("session", length.alias("length")), on="session")
        .filter(pl.col("minute").is_not_null())
    )
    minute, since_close = pl.col("minute"), pl.col("minute") - pl.col("length")

    def at(name: str, where: pl.Expr) -> pl.Expr:
        return pl.col(name).filter(where).first()

    shapes = rows.group_by("session").agg(
        first=minute.min(),
        last=since_close.max(),
        rows=minute.is_between(0, pl.col("length")).sum(),
        length=pl.col("length").first(),
        close_range=at("reach", since_close == 0) / pl.col("reach").filter(since_close.is_between(-10, -1)).median(),
        open_range=at("reach", minute == 0) / at("reach", minute == 1),
        open_volume=at("volume", minute == 1) / at("volume", minute == 0),
    )
    is_whole = pl.col("rows") >= _COMPLETE * pl.col("length")
    grid = (
        pl.when((pl.col("first") < 0) | (pl.col("last") > 0))
        .then(pl.lit("extended"))
        .when(is_whole & (pl.col("first") == 0))
        .then(pl.lit("both"))
        .when(is_whole & (pl.col("first") == 1))
        .then(pl.lit("shifted"))
    )
    finite = [
        pl.when(pl.col(name).is_finite()).then(pl.col(name)).alias(name)
        for name in ("close_range", "open_range", "open_volume")
    ]
    return hours.join(shapes.with_columns(*finite, grid=grid), on="session").drop_nulls("grid").sort("session")


def _minutes_are_labelled_by_their_start(view: SeriesView) -> pl.DataFrame:
    found = end_labelled(view).filter(pl.col("session") >= view.start)
    names = ("grid", "close_range", "open_range", "open_volume")
    return hits_frame(
        Hit(
            ts=row["open"],
            ts_end=row["close"],
            session=row["session"],
            values={name: row[name] for name in names},
            votes=_votes(row["grid"], row["agreeing"] if found.height >= _LEAST else 0.0),
        )
        for row in found.iter_rows(named=True)
    )


def _votes(grid: str, agreeing: float) -> list[Vote]:
    votes = []
    if grid == "shifted":
        votes.append(Vote("calendar", Says.DEFECT, {"rows": "from a minute after the open to the close"}))
    if agreeing >= _AGREEING:
        votes.append(Vote("persistence", Says.DEFECT, {"sessions_share": agreeing}))
    return votes


RULES = (
    SeriesRule(
        "minutes_are_labelled_by_their_start",
        22,
        Severity.MAJOR,
        "A minute is labelled by its start: the regular session has no row at its close but a closing print. Labelled "
        "by the end it runs from a minute after the open to the close; or has a row at the open too, narrower than the "
        "next, and a whole minute at the close; or, with extended hours, opens with three times the volume a minute "
        "late. Judged over up to 20 sessions; two thirds of them, each by itself, confirm it.",
        _minutes_are_labelled_by_their_start,
        asset_classes=frozenset({AssetClass.STOCKS, AssetClass.INDICES}),
        timeframes=frozenset({Timeframe.M1}),
        thresholds=(LABEL_PRINT, LABEL_OPENING),
    ),
)
