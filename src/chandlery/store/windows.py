"""What ingests left behind: windows that failed, findings still open."""

from dataclasses import dataclass
from datetime import date

from sqlalchemy import exists, func, select

from chandlery.store.ingest_windows import DONE
from chandlery.store.tables import findings, ingest_windows, instrument_tickers
from chandlery.store.warehouse import Warehouse


@dataclass(frozen=True, slots=True)
class FailedWindow:
    """One window whose last attempt failed or was held as a whole."""

    symbol: str
    timeframe: str
    start: date
    end: date
    status: str
    error_code: str | None


@dataclass(frozen=True, slots=True)
class OpenFindings:
    """Open findings of one rule and verdict."""

    rule: str
    severity: str
    verdict: str
    findings: int
    instruments: int


def failed_windows(warehouse: Warehouse, *, timeframe: str) -> tuple[FailedWindow, ...]:
    """Return the windows of a timeframe that failed or were held, by symbol and start.

    A window whose sessions a later finished window covers no longer stands.
    """
    later = ingest_windows.alias("later")
    is_covered = exists().where(
        later.c.instrument_id == ingest_windows.c.instrument_id,
        later.c.timeframe == ingest_windows.c.timeframe,
        later.c.status.in_(DONE),
        later.c.finished_at > ingest_windows.c.started_at,
        later.c.start_session <= ingest_windows.c.start_session,
        later.c.end_session >= ingest_windows.c.end_session,
    )
    joined = ingest_windows.join(
        instrument_tickers,
        (instrument_tickers.c.instrument_id == ingest_windows.c.instrument_id)
        & instrument_tickers.c.valid_to.is_(None),
    )
    columns = (
        instrument_tickers.c.ticker,
        ingest_windows.c.timeframe,
        ingest_windows.c.start_session,
        ingest_windows.c.end_session,
        ingest_windows.c.status,
        ingest_windows.c.error_code,
    )
    query = (
        select(*columns)
        .select_from(joined)
        .where(
            ingest_windows.c.timeframe == timeframe,
            ingest_windows.c.status.in_(("failed", "quarantined")),
            ~is_covered,
        )
        .order_by(instrument_tickers.c.ticker, ingest_windows.c.start_session)
    )
    with warehouse.read() as connection:
        return tuple(FailedWindow(row[0], row[1], row[2], row[3], row[4], row[5]) for row in connection.execute(query))


def open_findings(warehouse: Warehouse) -> tuple[OpenFindings, ...]:
    """Return the open findings counted by rule, severity and verdict, the most frequent first."""
    count, kinds = func.count(), (findings.c.rule, findings.c.severity, findings.c.verdict)
    query = (
        select(*kinds, count, func.count(func.distinct(findings.c.instrument_id)))
        .where(findings.c.state == "open")
        .group_by(*kinds)
        .order_by(count.desc(), *kinds)
    )
    with warehouse.read() as connection:
        return tuple(OpenFindings(row[0], row[1], row[2], row[3], row[4]) for row in connection.execute(query))
