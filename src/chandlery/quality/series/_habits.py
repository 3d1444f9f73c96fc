"""What an instrument usually publishes of a session: in how many of its minutes it trades, and what it leaves out."""

import polars as pl

from chandlery.quality.series.view import LOOKBACK_MINUTES, SeriesView

TRADES_EVERY_MINUTE = 0.95
"""Share of the minutes from which on a habit is called every minute: the rest is a quiet lunch, not a habit."""
FEWEST = 5
"""With less history a session is measured by the first sessions of the view."""

_PRICES = ("high", "low", "close")


def is_filler() -> pl.Expr:
    """True of a bar that stands for no trade: no volume and one price."""
    flat = pl.all_horizontal(pl.col(name) == pl.col("open") for name in _PRICES)
    return (pl.col("volume") == 0) & flat


def traded(view: SeriesView) -> pl.DataFrame:
    """Return the regular bars of `view.marked` that stand for trades; an index has no fillers."""
    return view.once(_traded)


def _traded(view: SeriesView) -> pl.DataFrame:
    kept = pl.col("is_regular") & ~is_filler() if view.has_volume else pl.col("is_regular")
    return view.marked.filter(kept)


def expected_sessions(view: SeriesView) -> pl.DataFrame:
    """Return the sessions of the whole view that were asked for and that the instrument can have, ascending.

    Where nobody knows the listing date, it has none before its first bar. Columns of the calendar.
    """
    return view.once(_expected_sessions)


def _expected_sessions(view: SeriesView) -> pl.DataFrame:
    day = pl.col("session")
    wanted = day.is_in(view.asked.implode())
    first = view.listed_on or view.marked["session"].min()
    wanted &= pl.lit(value=False) if first is None else day >= pl.lit(first, dtype=pl.Date)
    if view.delisted_on is not None:
        wanted &= day < view.delisted_on
    return view.sessions.filter(wanted).sort("session")


def habits(view: SeriesView) -> pl.DataFrame:
    """Return how each session of a minute series compares with the 20 before it that have bars.

    One row a session of the calendar, ascending: `session`, `open`, `close`, `minutes`; `present` (regular minutes
    with a bar), `traded` (fillers not counted); `usual_present`, `usual_traded` (median shares of the minutes, 0
    without any bar), `spread` (robust deviation of the traded share), `quietest` (median of the smallest volume over
    the median volume), `fillers` and `holes` (in those 20 sessions), `length` (minutes of those 20 sessions).
    """
    return view.once(_habits)


def _habits(view: SeriesView) -> pl.DataFrame:
    counted = (
        view.sessions.select("session", "open", "close")
        .with_columns(minutes=(pl.col("close") - pl.col("open")).dt.total_minutes())
        .join(_counts(view), on="session", how="left", maintain_order="left")
        .sort("session")
    )
    begun = counted.filter(pl.col("present") > 0).with_columns(*_usual())
    usual = begun.select("session", "usual_present", "usual_traded", "spread", "quietest", "fillers", "holes", "length")
    return (
        counted.select("session", "open", "close", "minutes", pl.col("present", "traded").fill_null(0))
        .join(usual, on="session", how="left", maintain_order="left")
        .with_columns(pl.exclude("session", "open", "close").fill_null(strategy="forward"))
        .with_columns(pl.exclude("session", "open", "close").fill_null(strategy="backward").fill_null(0))
    )


def _counts(view: SeriesView) -> pl.DataFrame:
    regular = view.marked.filter("is_regular")
    is_trade = ~is_filler() if view.has_volume else pl.lit(value=True)
    follows = (pl.col("session") == pl.col("session").shift(1)) & (pl.col("minute") == pl.col("minute").shift(1) + 1)
    return (
        regular.select(
            "session", "minute", trades=is_trade, breaks=~follows.fill_null(value=False), volume=pl.col("volume")
        )
        .group_by("session")
        .agg(
            present=pl.len().cast(pl.Int64),
            traded=pl.col("trades").sum().cast(pl.Int64),
            # The first bar of a session breaks with the one before; that is a hole only if it comes late.
            own_holes=pl.col("breaks").sum().cast(pl.Int64) - 1 + (pl.col("minute").min() > 0).cast(pl.Int64),
            smallest=pl.col("volume").min() / pl.col("volume").median(),
        )
    )


def _usual() -> list[pl.Expr]:
    """The habits of the sessions with bars, each over up to 20 before it."""
    present, own_traded = pl.col("present") / pl.col("minutes"), pl.col("traded") / pl.col("minutes")
    high, low = (_before(own_traded, quantile=share) for share in (0.75, 0.25))
    filler = pl.col("present") - pl.col("traded")
    return [
        _before(present).alias("usual_present"),
        _before(own_traded).alias("usual_traded"),
        # The interquartile range of a normal variable is 1.349 of its deviations.
        ((high - low) / 1.349).alias("spread"),
        _before(pl.col("smallest").fill_nan(0)).alias("quietest"),
        _sum_before(filler).alias("fillers"),
        _sum_before(pl.col("own_holes")).alias("holes"),
        _sum_before(pl.col("minutes")).alias("length"),
    ]


def _before(values: pl.Expr, *, quantile: float = 0.5) -> pl.Expr:
    rolled = values.rolling_quantile(
        quantile, interpolation="linear", window_size=LOOKBACK_MINUTES, min_samples=FEWEST
    ).shift(1)
    return rolled.fill_null(values.head(LOOKBACK_MINUTES).quantile(quantile, interpolation="linear"))


def _sum_before(values: pl.Expr) -> pl.Expr:
    rolled = values.rolling_sum(window_size=LOOKBACK_MINUTES, min_samples=FEWEST).shift(1)
    return rolled.fill_null(values.head(LOOKBACK_MINUTES).sum())
