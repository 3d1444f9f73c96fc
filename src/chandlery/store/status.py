"""What the warehouse holds, counted; the `status` command and the receipts read it."""

from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError

from chandlery.market.timeframes import CANDLE_TIMEFRAMES
from chandlery.store.warehouse import Reader, Warehouse


@dataclass(frozen=True, slots=True)
class QualityStatus:
    """Scored partitions and their mean score, None while nothing is scored."""

    partitions: int = 0
    mean_score: float | None = None


@dataclass(frozen=True, slots=True)
class Status:
    """Row counts of every stage."""

    symbols: int
    bars: dict[str, int]
    candles: dict[str, int]
    quality: QualityStatus
    findings: int
    held: int
    studies: int
    risk_reports: int
    sources: tuple[str, ...] = field(default=())


def read_status(warehouse: Warehouse) -> Status:
    """Count what each stage holds; a stage whose tables do not exist yet counts zero.

    Raises:
        DatabaseDown: PostgreSQL does not answer.
    """
    sources = (
        "select array_agg(distinct part order by part) from ops.ingests "
        "cross join lateral unnest(string_to_array(source, '+')) as parts (part)"
    )
    score = "select count(score), avg(score) from marts.quality_scores_daily"
    with warehouse.read() as connection:
        partitions, mean = _row(connection, score) or (0, None)
        return Status(
            symbols=_count(connection, "ops.instruments where is_tracked"),
            bars={name: _bars(connection, name) for name in ("1m", "1d")},
            candles={tf.value: _count(connection, f"marts.candles_{tf.value}") for tf in CANDLE_TIMEFRAMES},
            quality=QualityStatus(int(partitions), None if mean is None else float(mean)),
            findings=_count(connection, "ops.findings where state = 'open'"),
            held=_count(connection, "raw.massive__quarantine"),
            studies=_count(connection, "research.studies"),
            risk_reports=_count(connection, "research.risk_reports"),
            sources=tuple((_row(connection, sources) or ([],))[0] or ()),
        )


@dataclass(frozen=True, slots=True)
class IngestProgress:
    """Windows and rows ingested so far, over all runs."""

    windows: int
    rows: int


def read_progress(warehouse: Warehouse) -> IngestProgress:
    """Count what ingests have published or held so far.

    Raises:
        DatabaseDown: PostgreSQL does not answer.
    """
    query = (
        "select count(*), coalesce(sum(rows_seen * attempts), 0) from ops.ingest_windows "
        "where status in ('published', 'quarantined', 'empty')"
    )
    with warehouse.read() as connection:
        windows, rows = _row(connection, query) or (0, 0)
    return IngestProgress(int(windows), int(rows))


def _count(connection: Reader, relation: str) -> int:
    row = _row(connection, f"select count(*) from {relation}")  # noqa: S608 - fixed names
    return 0 if row is None else int(row[0])


def _bars(connection: Reader, timeframe: str) -> int:
    row = _row(connection, f"select coalesce(sum(bars), 0) from ops.bar_sessions where timeframe = '{timeframe}'")  # noqa: S608
    return 0 if row is None else int(row[0])


def _row(connection: Reader, query: str) -> tuple[Any, ...] | None:
    try:
        with connection.begin_nested():
            return tuple(connection.execute(text(query)).one())
    except ProgrammingError:
        return None
