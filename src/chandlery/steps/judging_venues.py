"""Judge all series of a calendar together: what is late, what fewer have than usual, what several miss at once."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import polars as pl

from chandlery.market.bars import TS
from chandlery.market.calendar import ZONES
from chandlery.market.timeframes import Timeframe
from chandlery.quality.series.view import LOOKBACK_MINUTES, SeriesView
from chandlery.quality.venue.view import COUNT_SCHEMA, MEMBER_SCHEMA, MISSING_SCHEMA, VenueView
from chandlery.store.judging import Ledger
from chandlery.store.venue_views import minute_stamps, venue_counts, venue_members
from chandlery.store.warehouse import Reader

_EVERY_MINUTE = 0.95
"""Share of the regular minutes, at the median session, from which an instrument counts as trading every minute."""
_FEWEST = 3
"""Instruments that must miss a minute before it is the venue's."""
_NONE_MISSING = pl.DataFrame(schema=MISSING_SCHEMA)


@dataclass(frozen=True, slots=True, eq=False)
class MissingMinutes:
    """Regular minutes an instrument has no bar for, over sessions that were looked at."""

    instrument_id: int
    sessions: pl.Series
    stamps: pl.DataFrame


def missing_minutes(view: SeriesView) -> MissingMinutes:
    """Return the minutes missing in the judged sessions of a minute series, none of one that often misses some."""
    inside = (pl.col("session") >= view.start) & (pl.col("session") < view.end)
    judged, number = view.sessions.filter(inside), view.instrument.instrument_id
    minutes = (pl.col("close") - pl.col("open")).dt.total_minutes()
    counted = view.marked.filter("is_regular", inside).group_by("session").len()
    # Mostly nothing is missing, which need not be laid out minute by minute.
    is_short = judged.join(counted, on="session").select((pl.col("len") < minutes).any()).item()
    stamps = _absent(number, view.bars["ts"], view.sessions, judged) if is_short else _NONE_MISSING
    return MissingMinutes(number, judged["session"], stamps)


def _absent(instrument_id: int, stamps: pl.Series, hours: pl.DataFrame, judged: pl.DataFrame) -> pl.DataFrame:
    """Return `MISSING_SCHEMA` of the judged sessions that have bars."""
    opened = hours.select("session", "open", "close").sort("open")
    placed = stamps.to_frame("ts").sort("ts").join_asof(opened, left_on="ts", right_on="open", strategy="backward")
    regular = placed.filter(pl.col("ts") < pl.col("close"))
    expected = (pl.col("close") - pl.col("open")).dt.total_minutes()
    counted = regular.group_by("session").agg(pl.len().alias("bars")).join(opened, on="session")
    shares = counted.select("session", "open", "close", share=pl.col("bars") / expected)
    usual = shares["share"].median()
    if not isinstance(usual, float) or usual < _EVERY_MINUTE:
        return _NONE_MISSING
    short = shares.filter(pl.col("share") < 1.0).join(judged.select("session"), on="session", how="semi")
    grid = short.select(ts=pl.datetime_ranges("open", "close", "1m", closed="left")).explode("ts").cast({"ts": TS})
    gone = grid.join(regular.select("ts"), on="ts", how="anti")
    return gone.select(pl.lit(instrument_id, dtype=pl.Int64).alias("instrument_id"), "ts").drop_nulls()


@dataclass(frozen=True, slots=True, eq=False)
class VenueInputs:
    """What is to be judged of a venue: its calendar in `SESSION_SCHEMA`, and the places of the sessions in it."""

    calendar: str
    timeframe: Timeframe
    hours: pl.DataFrame
    ledger: Ledger
    now: datetime
    overrides: Mapping[str, float]


def venue_islands(inputs: VenueInputs, judged: Sequence[date], start: date, end: date) -> list[tuple[date, date]]:
    """Return the stretches of sessions `[first, after)` to judge of a venue.

    They hold every session judged of a member, and in any case the last two closed ones of `[start, end)`: what does
    not come changes nothing, and is late all the same.
    """
    day = pl.col("session")
    closed = inputs.hours.filter((day >= start) & (day < end) & (pl.col("close") <= inputs.now)).tail(2)
    wanted = {*judged, *closed["session"]}
    places = inputs.hours.with_row_index("place").filter(day.is_in(sorted(wanted))).select("place", "session")
    stretch = (pl.col("place").diff().fill_null(1) > 1).cum_sum().alias("stretch")
    spans = places.group_by(stretch, maintain_order=True).agg(pl.col("session").first(), last=pl.col("session").last())
    return [(first, last + timedelta(days=1)) for _, first, last in spans.iter_rows()]


def venue_view(
    connection: Reader, inputs: VenueInputs, start: date, end: date, known: Sequence[MissingMinutes]
) -> VenueView | None:
    """Return what the venue rules may look at over `[start, end)`; None without members."""
    members = venue_members(connection, inputs.calendar, inputs.timeframe)
    if not members:
        return None
    hours = inputs.hours
    place = hours.filter(pl.col("session") < start).height
    first: date = hours["session"][max(0, place - LOOKBACK_MINUTES)]
    upcoming = hours.filter(pl.col("open") > inputs.now).head(1)
    looked_at = hours.filter((pl.col("session") >= first) & (pl.col("session") < end))
    ids = [int(str(member["instrument_id"])) for member in members]
    counts = venue_counts(connection, ids, inputs.timeframe, first, end)
    missing = _NONE_MISSING
    if inputs.timeframe is Timeframe.M1:
        missing = _all_missing(connection, inputs, counts, looked_at, span=(start, end), known=known)
    return VenueView(
        calendar=inputs.calendar,
        timeframe=inputs.timeframe,
        start=start,
        end=end,
        now=inputs.now,
        sessions=pl.concat([looked_at, upcoming]).unique("session", maintain_order=True).sort("session"),
        members=pl.DataFrame(members, schema=MEMBER_SCHEMA),
        counts=counts.select(pl.col(name).cast(dtype) for name, dtype in COUNT_SCHEMA.items()),
        missing=missing,
        exceptions=tuple(item for item in inputs.ledger.exceptions if item.calendar == inputs.calendar),
        overrides=inputs.overrides,
    )


def _all_missing(
    connection: Reader,
    inputs: VenueInputs,
    counts: pl.DataFrame,
    hours: pl.DataFrame,
    *,
    span: tuple[date, date],
    known: Sequence[MissingMinutes],
) -> pl.DataFrame:
    """Return the missing minutes of all members: of sessions just judged as seen there, of others read now."""
    inside = counts.filter((pl.col("session") >= span[0]) & (pl.col("session") < span[1]))
    if inside["instrument_id"].n_unique() < _FEWEST:
        return _NONE_MISSING
    zone = ZoneInfo(ZONES[inputs.calendar])
    since, until = (datetime(day.year, day.month, day.day, tzinfo=zone).astimezone(UTC) for day in span)
    frames = [_NONE_MISSING]
    for (instrument_id,), mine in inside.group_by("instrument_id"):
        seen = [item for item in known if item.instrument_id == instrument_id]
        frames += [item.stamps.filter(pl.col("ts").is_between(since, until, closed="left")) for item in seen]
        unseen = mine.filter(~pl.col("session").is_in([day for item in seen for day in item.sessions]))
        if unseen.height:
            number = int(str(instrument_id))
            stamps = minute_stamps(connection, number, hours["pre_open"][0], until)
            frames.append(_absent(number, stamps, hours, unseen))
    return pl.concat(frames).unique().sort("ts", "instrument_id")
