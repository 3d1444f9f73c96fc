"""Scores with every lost point explained, and coverage with every missing bar's reason, as a user asks for them."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

import polars as pl

from chandlery.errors import NotFound
from chandlery.market.bars import check_range
from chandlery.market.symbols import Instrument, parse_symbol
from chandlery.market.timeframes import Timeframe, parse_base_timeframe
from chandlery.quality.explanation import Loss, explain
from chandlery.quality.score import Summary, summarize
from chandlery.quality.tally import Tally
from chandlery.store.quality_reads import (
    SeriesRange,
    asked_timeframes,
    read_coverage,
    read_findings_of,
    read_gaps,
    read_reasons,
    read_scores,
)
from chandlery.store.universe import find_record
from chandlery.store.warehouse import Warehouse

TERMS = ("validity", "completeness", "consistency", "plausibility", "timeliness")


@dataclass(frozen=True, slots=True, eq=False)
class Coverage:
    """What one series should have and has.

    Attributes:
        symbol: whose.
        timeframe: of which bars.
        sessions: counted sessions.
        expected: bars of the calendar; `present`, `fillers` and `missing` add up to it.
        present: published regular bars.
        fillers: minutes whose bar stands for no trade.
        held: of the missing, those in quarantine.
        missing: bars that are not there.
        by_reason: how many of the missing are so, by reason, the largest first.
        gaps: contiguous missing bars: ts, ts_end, session, last_session, sessions, missing_count, reason, finding_id.
        days: one row a session: expected_count, present_count, filler_count, held_count, missing_count, reason.
    """

    symbol: str
    timeframe: Timeframe
    sessions: int
    expected: int
    present: int
    fillers: int
    held: int
    missing: int
    by_reason: Mapping[str, int]
    gaps: pl.DataFrame
    days: pl.DataFrame


@dataclass(frozen=True, slots=True, eq=False)
class SessionScore:
    """The score of one session of bars.

    Attributes:
        timeframe: 1m or 1d.
        session: which.
        score: in [0, 1], None where nothing was expected.
        terms: by name, None where the term does not exist.
        tally: what they are counted from.
        losses: every lost point, the largest loss first.
        found: the findings of the losses, by (ts, rule), with their numbers and states.
    """

    timeframe: str
    session: date
    score: float | None
    terms: Mapping[str, float | None]
    tally: Tally
    losses: tuple[Loss, ...]
    found: pl.DataFrame


@dataclass(frozen=True, slots=True, eq=False)
class SymbolQuality:
    """The score of a symbol: mean and worst decile over its sessions, and each of them."""

    instrument: Instrument
    summary: Summary
    sessions: tuple[SessionScore, ...]


def find_coverage(
    warehouse: Warehouse, symbol: str, timeframe: str | None, *, start: date | None = None, end: date | None = None
) -> Coverage:
    """Return the coverage of a series on the sessions `start <= session < end`.

    Without a timeframe that of minutes, or of day bars where minutes were never asked for.

    Raises:
        InvalidInput: impossible symbol or timeframe, reversed range.
        NotFound: unknown symbol, never asked for, or no session in the range.
        NotMigrated: nothing was built yet.
    """
    instrument = _instrument(warehouse, symbol, start, end)
    chosen = _asked_first(warehouse, instrument) if timeframe is None else parse_base_timeframe(timeframe)
    wanted = SeriesRange(instrument.instrument_id, chosen, start, end)
    days = read_coverage(warehouse, wanted)
    if days.is_empty():
        raise NotFound(
            f"{instrument.symbol} {chosen} was never asked for{_range(start, end)}; `chandlery backfill` does."
        )
    total = {column: int(days[column].sum()) for column in days.columns if column.endswith("_count")}
    return Coverage(
        symbol=instrument.symbol,
        timeframe=chosen,
        sessions=days.height,
        expected=total["expected_count"],
        present=total["present_count"],
        fillers=total["filler_count"],
        held=total["held_count"],
        missing=total["missing_count"],
        by_reason=read_reasons(warehouse, wanted),
        gaps=read_gaps(warehouse, wanted),
        days=days,
    )


def find_quality(
    warehouse: Warehouse, symbol: str, timeframe: str | None, *, start: date | None = None, end: date | None = None
) -> SymbolQuality:
    """Return the score of every asked session `start <= session < end`, explained; without a timeframe of both.

    Raises:
        InvalidInput: impossible symbol or timeframe, reversed range.
        NotFound: unknown symbol, or no scored session in the range.
        NotMigrated: nothing was built yet.
    """
    instrument = _instrument(warehouse, symbol, start, end)
    chosen = None if timeframe is None else parse_base_timeframe(timeframe)
    wanted = SeriesRange(instrument.instrument_id, chosen, start, end)
    scores = read_scores(warehouse, wanted)
    if scores.is_empty():
        asked = f"{instrument.symbol} {chosen}" if chosen else instrument.symbol
        raise NotFound(
            f"{asked} has no score{_range(start, end)}: no finished window asked for it, or its models were not built. "
            "`chandlery backfill` does both."
        )
    with warehouse.read() as connection:
        found = read_findings_of(connection, wanted)
    by_timeframe = {key[0]: part for key, part in found.group_by("timeframe")}
    sessions = tuple(
        _explained(row, by_timeframe.get(row["timeframe"], found.clear())) for row in scores.iter_rows(named=True)
    )
    return SymbolQuality(instrument, summarize(scores["score"]), sessions)


def _explained(row: Mapping[str, object], found: pl.DataFrame) -> SessionScore:
    tally = _tally(row)
    day, score = row["session"], row["score"]
    assert isinstance(day, date)  # noqa: S101 - the column's type
    losses: tuple[Loss, ...] = ()
    touching = found.clear()
    if isinstance(score, float) and score < 1.0:
        touching = found.filter(pl.col("session") <= day, pl.col("last_session") >= day).sort("ts", "rule")
        losses = explain(tally, touching)
    return SessionScore(
        timeframe=str(row["timeframe"]),
        session=day,
        score=score if isinstance(score, float) else None,
        terms={name: row[name] for name in TERMS},  # type: ignore[misc]
        tally=tally,
        losses=losses,
        found=touching,
    )


def _tally(row: Mapping[str, object]) -> Tally:
    return Tally(
        expected=row["expected_count"],  # type: ignore[arg-type]
        present=row["bar_count"],  # type: ignore[arg-type]
        judged=row["judged_count"],  # type: ignore[arg-type]
        sound=row["sound_count"],  # type: ignore[arg-type]
        plausibility=row["plausible_sum"],  # type: ignore[arg-type]
        compared=row["compared_count"],  # type: ignore[arg-type]
        consistency=row["consistent_sum"],  # type: ignore[arg-type]
        timed=int(bool(row["is_timed"])),
        timely=row["timely"],  # type: ignore[arg-type]
        has_major=bool(row["has_major"]),
        has_critical=bool(row["has_critical"]),
    )


def loss_facts(session: SessionScore, loss: Loss) -> dict[str, object]:
    """Return a loss as plain values, its findings with number, state and evidence."""
    known = {(row["ts"], row["rule"]): row for row in session.found.iter_rows(named=True)}
    named = [known[row["ts"], row["rule"]] for row in loss.findings.iter_rows(named=True)]
    shown = ("finding_id", "check", "rule", "severity", "verdict", "state", "ts", "ts_end")
    return {
        "term": loss.name,
        "value": loss.value,
        "weight": loss.weight,
        "points": loss.points,
        "checks": list(loss.checks),
        "findings": [{**{name: row[name] for name in shown}, "evidence": json.loads(row["evidence"])} for row in named],
    }


def _instrument(warehouse: Warehouse, symbol: str, start: date | None, end: date | None) -> Instrument:
    name = parse_symbol(symbol)
    if start is not None and end is not None:
        check_range(start, end)
    with warehouse.read() as connection:
        return find_record(connection, name).instrument


def _asked_first(warehouse: Warehouse, instrument: Instrument) -> Timeframe:
    with warehouse.read() as connection:
        return next(iter(asked_timeframes(connection, instrument.instrument_id)), Timeframe.M1)


def _range(start: date | None, end: date | None) -> str:
    return "".join(f" {word} {day}" for word, day in (("from", start), ("to", end)) if day is not None)
