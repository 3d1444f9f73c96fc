"""Rules on volume: a bar that traded 20 times, or a twentieth, of what the same minute or day usually trades."""

import math
from collections.abc import Iterator
from datetime import timedelta

import polars as pl

from chandlery.market.timeframes import Timeframe
from chandlery.quality.findings import Severity
from chandlery.quality.rules.rule import TRADED
from chandlery.quality.series._habits import TRADES_EVERY_MINUTE, habits
from chandlery.quality.series._split_factor import new_shares
from chandlery.quality.series._volume_votes import FEWEST, VolumeWitness
from chandlery.quality.series.rule import Hit, SeriesRule, hits_frame, no_hits
from chandlery.quality.series.view import SeriesView
from chandlery.quality.thresholds import Threshold

VOLUME_TIMES = Threshold(
    "volume_times",
    20.0,
    3.0,
    1000.0,
    "Times, or fraction, of the usual volume: earnings bring 3 to 10 times a day's volume and an opening auction is "
    "compared with opening auctions.",
)
VOLUME_SIGMAS = Threshold(
    "volume_sigmas",
    4.0,
    2.0,
    20.0,
    "Robust deviations of the log volume from its habit: minutes of thin markets differ by 20 times every hour, and "
    "only what is far in their own terms is found.",
)
_BLOCK = 20
_SLACK = math.log(4)
"""A bar far from what was before it lies far from the median of the sessions around it, a level change of 4 apart."""
_MANY = 10
"""So many of a session are one event, and one finding."""


def _volume_keeps_its_habit(view: SeriesView) -> pl.DataFrame:
    bars = view.marked.filter(pl.col("is_regular") & (pl.col("volume") > 0)).select(
        "session", "minute", volume=pl.col("volume") * new_shares(view)
    )
    if bars.height <= FEWEST:
        return no_hits()
    # The sessions of a series ascend, so equal ones are neighbours and number themselves.
    block = pl.col("session").rle_id() // _BLOCK
    level = pl.col("volume").log() - pl.col("volume").median().over("minute", block).log()
    off = bars.select(level.alias("off"))["off"]
    limit = _limit(view, off)
    wanted = bars.filter(off.abs() > limit - _SLACK)["minute"].unique()
    if wanted.is_empty():
        return no_hits()
    witness = VolumeWitness(view)
    far = witness.compared(wanted).filter(pl.col("session") >= view.start, _distance().abs() > limit)
    if view.timeframe is Timeframe.D1:
        far = far.filter(_distance().abs() > _spread(view))
    elif far.height:
        far = _without_dust(view, far)
    return hits_frame(_hits(witness, far))


def _distance() -> pl.Expr:
    return (pl.col("volume") / pl.col("usual")).log()


def _spread(view: SeriesView) -> pl.Expr:
    """Log distance that is an anomaly by the day's own 20 sessions, on its own side of the median.

    A decile of a normal variable lies 1.2816 deviations from its median; thin symbols are no normal variables, and
    their quiet days lie farther below the median than their busy ones above.
    """
    side = pl.when(_distance() > 0).then(pl.col("high") / pl.col("usual")).otherwise(pl.col("usual") / pl.col("low"))
    return view.value(VOLUME_SIGMAS) * side.log() / 1.2816


def _without_dust(view: SeriesView, far: pl.DataFrame) -> pl.DataFrame:
    """Drop small volumes where minutes without any trade are usual: what lies between none and usual is usual."""
    usual = habits(view).select("session", "usual_traded")
    return (
        far.join(usual, on="session", how="left")
        .filter((pl.col("volume") > pl.col("usual")) | (pl.col("usual_traded") >= TRADES_EVERY_MINUTE))
        .drop("usual_traded")
    )


def _limit(view: SeriesView, off: pl.Series) -> float:
    """Log distance from the habit that is an anomaly."""
    high, low = off.quantile(0.75), off.quantile(0.25)
    # The interquartile range of a normal variable is 1.349 of its deviations.
    sigma = (high - low) / 1.349 if high is not None and low is not None else 0.0
    return max(math.log(view.value(VOLUME_TIMES)), view.value(VOLUME_SIGMAS) * sigma)


def _hits(witness: VolumeWitness, far: pl.DataFrame) -> Iterator[Hit]:
    sided = far.sort("ts").with_columns(is_large=pl.col("volume") > pl.col("usual"))
    for group in sided.partition_by("session", "is_large", maintain_order=True):
        parts = [group] if group.height >= _MANY else group.iter_slices(1)
        for part in parts:  # of days each, of many minutes together
            first = part.row(0, named=True)
            times = float(part.select((pl.col("volume") / pl.col("usual")).median()).item())
            yield Hit(
                ts=first["ts"],
                ts_end=part["ts"][-1] + timedelta(minutes=1) if part.height > 1 else None,
                session=first["session"],
                values={
                    "volume": first["volume"],
                    "usual": first["usual"],
                    "times_usual": times,
                    "bars": part.height,
                },
                votes=witness.votes(part),
            )


RULES = (
    SeriesRule(
        "volume_keeps_its_habit",
        13,
        Severity.MINOR,
        "A regular bar trades less than 20 times, and more than a twentieth, of the median of the 20 sessions before "
        "(of the same minute for minutes), across recorded splits on one basis, and lies within 4 robust deviations of "
        "what differs anyway. A price that moved too, neighbours as busy, the other timeframe or a moving market make "
        "it true; half days and the auctions of option expiries explain it. Ten of a session are one finding.",
        _volume_keeps_its_habit,
        asset_classes=TRADED,
        thresholds=(VOLUME_TIMES, VOLUME_SIGMAS),
    ),
)
