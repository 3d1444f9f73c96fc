"""Repairs of a day bar from another record of its session: the roll-up of its minutes, or another source."""

import math
from collections.abc import Mapping
from datetime import date, timedelta

import polars as pl

from chandlery.market.bars import BAR_SCHEMA
from chandlery.market.timeframes import Timeframe
from chandlery.quality.repairs.proposal import Method, Proposal
from chandlery.quality.series.view import SeriesView

_PRICES = ("open", "high", "low", "close")
_AGREEMENT = 0.001
"""10 bps: an official open or close may differ so much from the first and last minute (check 18); it is kept."""
_SAME_BASIS = 0.7
"""A record farther off than a factor of 2 is on another basis."""
_HABIT = 20


def from_minutes(view: SeriesView, finding: Mapping[str, object], facts: Mapping[str, object]) -> Proposal | None:
    """Return a day bar whose wrong prices are those of its regular minutes.

    Only from a whole session: as many minutes as it lasts, or as the 20 sessions around it usually have, if a minute
    often has no trade. The day's own volume, which counts all hours, is kept; a bar that is held or missing comes anew
    with the volume of its minutes. None for minutes, and without a whole session of them.
    """
    session = finding["session"]
    row = _row(view.other, session)
    if view.timeframe is not Timeframe.D1 or row is None or not isinstance(session, date):
        return None
    if not _is_whole(view, session, row["bars"]):
        return None
    return _mended(view, finding, facts, row, method=Method.FINER, evidence={"minutes": row["bars"]})


def from_source(view: SeriesView, finding: Mapping[str, object], facts: Mapping[str, object]) -> Proposal | None:
    """Return a day bar whose wrong prices are those of another source, the first by name that has the session.

    None for minutes, and without such a source.
    """
    if view.timeframe is not Timeframe.D1:
        return None
    for name, frame in sorted(view.witnesses.items()):
        row = _row(frame, finding["session"])
        found = (
            _mended(view, finding, facts, row, method=Method.OTHER_SOURCE, evidence={"source": name}) if row else None
        )
        if found is not None:
            return found
    return None


def _row(frame: pl.DataFrame, session: object) -> Mapping[str, float] | None:
    found = frame.filter(pl.col("session") == session) if isinstance(session, date) else frame.clear()
    sound = found.filter(pl.all_horizontal((pl.col(name) > 0) & pl.col(name).is_finite() for name in _PRICES))
    return None if sound.is_empty() else sound.row(0, named=True)


def _is_whole(view: SeriesView, session: date, bars: float) -> bool:
    hours = view.sessions.filter(pl.col("session") == session)
    if hours.is_empty():
        return False
    minutes = (hours["close"][0] - hours["open"][0]) / timedelta(minutes=1)
    place = int(view.other["session"].search_sorted(session))
    usual = view.other["bars"].slice(max(0, place - _HABIT), 2 * _HABIT + 1).median()
    return isinstance(usual, float) and bars >= min(minutes, usual)


def _mended(
    view: SeriesView,
    finding: Mapping[str, object],
    facts: Mapping[str, object],
    row: Mapping[str, float],
    *,
    method: Method,
    evidence: Mapping[str, object],
) -> Proposal | None:
    ts = finding["ts"]
    before = view.bars.filter(pl.col("ts") == ts)
    if before.is_empty():
        anew = {name: row[name] for name in (*_PRICES, "volume")} | {"ts": ts, "vwap": None, "trade_count": None}
        after = pl.DataFrame([anew], schema=BAR_SCHEMA)
        return Proposal(method, is_exact=False, before=before, after=after, evidence={**evidence, "comes_anew": True})
    bar = before.row(0, named=True)
    fields = [name for name in _PRICES if facts.get("field") in {name, None}] or list(_PRICES)
    wrong = [name for name in fields if _is_off(bar[name], row[name])]
    if not wrong or any(_is_far(row["close"], bar[name]) for name in _PRICES if name not in wrong):
        return None
    values = {name: row[name] if name in wrong else bar[name] for name in _PRICES}
    values["high"] = max(values.values())
    values["low"] = min(values.values())
    after = before.with_columns(pl.lit(value, dtype=pl.Float64).alias(name) for name, value in values.items())
    return Proposal(method, is_exact=False, before=before, after=after, evidence={**evidence, "fields": wrong})


def _is_off(mine: float, theirs: float) -> bool:
    return mine <= 0 or abs(math.log(mine / theirs)) > _AGREEMENT


def _is_far(mine: float, theirs: float) -> bool:
    return theirs <= 0 or abs(math.log(mine / theirs)) > _SAME_BASIS
