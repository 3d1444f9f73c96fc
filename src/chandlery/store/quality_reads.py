"""Scores, what they are counted from, coverage and gaps of one series, as the models hold them."""

import json
from dataclasses import dataclass
from datetime import date, datetime

import polars as pl
from sqlalchemy import Select, case, select

from chandlery.market.bars import BAR_SCHEMA
from chandlery.market.timeframes import Timeframe
from chandlery.store.frames import Parameter, read_frame
from chandlery.store.ingest_windows import ANSWERED
from chandlery.store.tables import findings, ingest_windows, quarantine
from chandlery.store.warehouse import Reader, Warehouse

_CANDLES = 19
"""The check of candles, which have no score of their own."""

_SCORES = """
    select timeframe, session, score, validity, completeness, consistency, plausibility, timeliness, expected_count,
        bar_count, held_count, judged_count, sound_count, plausible_sum, compared_count, consistent_sum, is_timed,
        timely, has_major, has_critical, source
    from marts.quality_scores_daily
"""
_COVERAGE = """
    select session, expected_count, present_count, filler_count, held_count, missing_count, reason
    from marts.coverage_daily
"""
_REASONS = """
    select reason, sum(missing_count)::bigint as missing
    from intermediate.int_judged_holes
"""
_GAPS = """
    select ts, ts_end, session, last_session, sessions, missing_count, reason, finding_id
    from marts.gaps
"""


@dataclass(frozen=True, slots=True)
class SeriesRange:
    """One instrument's bars of a timeframe (None: 1m and 1d) on the sessions `start <= session < end`; None is open."""

    instrument_id: int
    timeframe: Timeframe | None = None
    start: date | None = None
    end: date | None = None


def read_scores(warehouse: Warehouse, wanted: SeriesRange) -> pl.DataFrame:
    """Return the score of every asked session with its terms and counts, by timeframe and session.

    Raises:
        NotMigrated: nothing was built yet.
    """
    return _read(warehouse, _SCORES, wanted, "order by timeframe, session")


def read_coverage(warehouse: Warehouse, wanted: SeriesRange) -> pl.DataFrame:
    """Return expected and present bars of every session with the reason of what is missing, ascending.

    Raises:
        NotMigrated: nothing was built yet.
    """
    return _read(warehouse, _COVERAGE, wanted, "order by session")


def read_reasons(warehouse: Warehouse, wanted: SeriesRange) -> dict[str, int]:
    """Return how many bars are missing by reason, the largest first; sessions count with their own part of a gap.

    Raises:
        NotMigrated: nothing was built yet.
    """
    found = _read(warehouse, _REASONS, wanted, "group by reason order by missing desc, reason")
    return dict(found.iter_rows())


def read_gaps(warehouse: Warehouse, wanted: SeriesRange) -> pl.DataFrame:
    """Return the gaps that touch the range, whole as they are, by ts.

    Raises:
        NotMigrated: nothing was built yet.
    """
    return _read(warehouse, _GAPS, wanted, "order by ts", first="last_session")


def asked_timeframes(connection: Reader, instrument_id: int) -> tuple[Timeframe, ...]:
    """Return the timeframes of which any window was finished, 1m before 1d."""
    query = (
        select(ingest_windows.c.timeframe)
        .distinct()
        .where(
            ingest_windows.c.instrument_id == instrument_id,
            ingest_windows.c.status.in_(ANSWERED) | ingest_windows.c.last_answer.is_not(None),
        )
    )
    found: set[str] = set(connection.execute(query).scalars())
    return tuple(timeframe for timeframe in (Timeframe.M1, Timeframe.D1) if timeframe.value in found)


FOUND_SCHEMA: dict[str, pl.DataType | type[pl.DataType]] = {
    "finding_id": pl.Int64,
    "timeframe": pl.String,
    "ts": BAR_SCHEMA["ts"],
    "ts_end": BAR_SCHEMA["ts"],
    "session": pl.Date,
    "last_session": pl.Date,
    "rule": pl.String,
    "check": pl.Int16,
    "severity": pl.String,
    "verdict": pl.String,
    "term": pl.String,
    "state": pl.String,
    "evidence": pl.String,
}
"""A finding with its number and state; `evidence` is a JSON object."""


def read_findings_of(connection: Reader, wanted: SeriesRange) -> pl.DataFrame:
    """Return the findings that touch the range and may lower a score, in `FOUND_SCHEMA`, by ts and rule."""
    column = findings.c
    query: Select[tuple[object, ...]] = (
        select(*(column[name] for name in FOUND_SCHEMA))
        .where(column.instrument_id == wanted.instrument_id, column.term != "none")
        .where(column.state.in_(("open", "confirmed")), column.verdict.in_(("confirmed", "suspected")))
        .order_by(column.ts, column.rule)
    )
    if wanted.timeframe is not None:
        # As in stg_ops__findings: a wrong candle lowers the score of the minutes it stands for.
        scored = case((column.check == _CANDLES, Timeframe.M1.value), else_=column.timeframe)
        query = query.where(scored == wanted.timeframe.value)
    if wanted.start is not None:
        query = query.where(column.last_session >= wanted.start)
    if wanted.end is not None:
        query = query.where(column.session < wanted.end)
    rows = [
        {**row, "evidence": json.dumps(row["evidence"], sort_keys=True)} for row in connection.execute(query).mappings()
    ]
    return pl.DataFrame(rows, schema=FOUND_SCHEMA)


def held_instants(connection: Reader, instrument_id: int, timeframe: Timeframe) -> tuple[datetime, ...]:
    """Return the instants of bars in quarantine, ascending."""
    mine = (quarantine.c.instrument_id == instrument_id, quarantine.c.timeframe == timeframe.value)
    return tuple(
        connection.execute(select(quarantine.c.ts).distinct().where(*mine).order_by(quarantine.c.ts)).scalars()
    )


def _read(
    warehouse: Warehouse, columns: str, wanted: SeriesRange, ending: str, *, first: str = "session"
) -> pl.DataFrame:
    parameters: list[Parameter] = [wanted.instrument_id]
    clauses = ["instrument_id = $1"]
    bounds = (
        ("timeframe =", None if wanted.timeframe is None else wanted.timeframe.value),
        (f"{first} >=", wanted.start),
        ("session <", wanted.end),
    )
    for clause, value in bounds:
        if value is not None:
            parameters.append(value)
            clauses.append(f"{clause} ${len(parameters)}")
    return read_frame(warehouse, f"{columns} where {' and '.join(clauses)} {ending}", parameters)
