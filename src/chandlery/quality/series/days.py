"""Day bars beside the roll-up of their own minutes (check 18)."""

from collections.abc import Mapping
from datetime import date
from typing import Any

import polars as pl

from chandlery.market.timeframes import Timeframe
from chandlery.quality.findings import Severity
from chandlery.quality.series._session_bars import (
    PRICES,
    Row,
    bps,
    bps_of,
    by_session,
    judged_only,
    own_sessions,
    sound,
    with_share,
    worst,
)
from chandlery.quality.series.other_sources import VOLUME, WHOLE, independent_witnesses
from chandlery.quality.series.rule import Hit, SeriesRule, hits_frame, no_hits
from chandlery.quality.series.view import SeriesView
from chandlery.quality.thresholds import Threshold
from chandlery.quality.verdicts import Says, Vote, verdict_of

PRICE = Threshold(
    "day_price_bps",
    default=10.0,
    low=0.1,
    high=1000.0,
    doc="Difference of open, high, low or close between a day bar and its minutes; sound ones differ by less than 4.",
)
VOLUME_LOW = Threshold(
    "day_volume_low_share",
    default=0.60,
    low=0.0,
    high=1.0,
    doc="Least share of a day's volume in its regular minutes; auctions and extended hours have the rest, 7 to 36 %.",
)
VOLUME_HIGH = Threshold(
    "day_volume_high_share",
    default=1.05,
    low=1.0,
    high=10.0,
    doc="Largest share: the part may exceed the whole by trades that were cancelled later.",
)
Witnesses = Mapping[str, Mapping[date, Row]]


def _agrees(view: SeriesView) -> pl.DataFrame:
    if view.other.is_empty():
        return no_hits()
    minutes = with_share(view, sound(view.other)).filter(pl.col("share") >= WHOLE)
    theirs = minutes.select("session", "bars", *(pl.col(name).alias(f"{name}_m") for name in (*PRICES, "volume")))
    own = judged_only(view, own_sessions(view)).drop("bars")
    laid = own.join(theirs, on="session", how="inner", maintain_order="left")
    objections = [bps(name, f"{name}_m").abs() > view.value(PRICE) for name in PRICES]
    if view.has_volume:
        ratio = pl.col("volume_m") / pl.col("volume")
        unusual = ~ratio.is_between(view.value(VOLUME_LOW), view.value(VOLUME_HIGH))
        objections.append((pl.col("volume_m") + pl.col("volume") > 0) & unusual)
    accused = laid.filter(pl.any_horizontal(objections))
    if accused.is_empty():
        return no_hits()
    # A roll-up of all hours that holds no minute more than the regular one knows nothing of the others.
    regular = dict(accused.select("session", "bars").iter_rows())
    every = by_session(view.other_extended)
    extended = {session: row for session, row in every.items() if row["bars"] > regular.get(session, row["bars"])}
    witnesses = {name: by_session(frame) for name, frame in independent_witnesses(view, view.other).items()}
    return hits_frame(_hit(view, row, extended.get(row["session"]), witnesses) for row in accused.iter_rows(named=True))


def _hit(view: SeriesView, row: Mapping[str, Any], extended: Row | None, witnesses: Witnesses) -> Hit:
    session: date = row["session"]
    said = {name: rows[session] for name, rows in witnesses.items() if session in rows}
    day = {name: float(row[name]) for name in (*PRICES, "volume")}
    minutes = {name: float(row[f"{name}_m"]) for name in (*PRICES, "volume")}
    values: dict[str, object] = {"minutes": row["bars"]}
    votes: list[Vote] = []
    verdicts = []
    for name in PRICES:
        off = bps_of(day[name], minutes[name])
        if abs(off) > view.value(PRICE):
            values |= {name: day[name], f"{name}_of_minutes": minutes[name], f"{name}_bps": off}
            spoken = [*_range_votes(view, name, day, minutes, extended), *_price_votes(view, name, day, minutes, said)]
            votes += spoken
            verdicts.append(verdict_of(spoken))
    if view.has_volume and not _is_usual(view, minutes["volume"], day["volume"]):
        ratio = minutes["volume"] / day["volume"] if day["volume"] else None
        values |= {"volume": day["volume"], "volume_of_minutes": minutes["volume"], "volume_ratio": ratio}
        spoken = _volume_votes(view, day["volume"], minutes["volume"], extended, said)
        votes += spoken
        verdicts.append(verdict_of(spoken))
    return Hit(ts=row["ts"], session=session, values=values, votes=votes, verdict=worst(verdicts))


def _range_votes(view: SeriesView, name: str, day: Row, minutes: Row, extended: Row | None) -> list[Vote]:
    """Return what the minutes' own range says of a price that none of the regular minutes reached.

    Trades outside regular hours explain a high or low; a price that no minute of any hours reached is none.
    """
    tolerance = view.value(PRICE)
    is_outside = _lies_outside(day[name], minutes, tolerance)
    if extended is None or not is_outside:
        return []
    detail: dict[str, str | int | float | None] = {
        "field": name,
        "extended_low": extended["low"],
        "extended_high": extended["high"],
    }
    if _lies_outside(day[name], extended, tolerance):
        return [Vote("timeframe", Says.DEFECT, detail)]
    return [Vote("timeframe", Says.EXPLAINED, detail)] if name in {"high", "low"} else []


def _lies_outside(price: float, span: Row, tolerance: float) -> bool:
    return bps_of(price, span["high"]) > tolerance or bps_of(price, span["low"]) < -tolerance


def _price_votes(view: SeriesView, name: str, day: Row, minutes: Row, said: Mapping[str, Row]) -> list[Vote]:
    """Return a vote of each source that is near one of the two and not near the other."""
    votes = []
    for source, row in said.items():
        with_day, with_minutes = (abs(bps_of(row[name], at[name])) <= view.value(PRICE) for at in (day, minutes))
        if with_day != with_minutes:
            detail: dict[str, str | int | float | None] = {"of": source, name: row[name]}
            votes.append(Vote("source", Says.TRUE if with_day else Says.DEFECT, detail))
    return votes


def _volume_votes(
    view: SeriesView, day: float, minutes: float, extended: Row | None, said: Mapping[str, Row]
) -> list[Vote]:
    votes = []
    if extended is not None and minutes < day and _is_usual(view, extended["volume"], day):
        votes.append(Vote("timeframe", Says.EXPLAINED, {"extended_volume": extended["volume"]}))
    for source, row in said.items():
        with_day = max(row["volume"], day) <= (1 + view.value(VOLUME)) * min(row["volume"], day)
        if with_day != _is_usual(view, minutes, row["volume"]):
            votes.append(
                Vote("source", Says.TRUE if with_day else Says.DEFECT, {"of": source, "volume": row["volume"]})
            )
    return votes


def _is_usual(view: SeriesView, part: float, whole: float) -> bool:
    return view.value(VOLUME_LOW) * whole <= part <= view.value(VOLUME_HIGH) * whole


RULES = (
    SeriesRule(
        "day_bar_agrees_with_its_minutes",
        18,
        Severity.MAJOR,
        "Open, high, low and close of a day bar lie within 10 bps of the roll-up of its regular minutes, whose volume "
        "is 0.60 to 1.05 of the day's. Sessions with 99 % of their minutes are compared. Trades in extended hours "
        "explain a high, a low or a volume; a price that no minute of any hours reached is confirmed.",
        _agrees,
        timeframes=frozenset({Timeframe.D1}),
        thresholds=(PRICE, VOLUME_LOW, VOLUME_HIGH),
    ),
)
