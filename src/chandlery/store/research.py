"""Studies, their evaluations, equity and trades; risk reports; the strategy catalogue."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy.dialects.postgresql import insert

from chandlery.store.tables import equity, evaluations, risk_reports, strategies, studies, trades
from chandlery.store.warehouse import Warehouse

Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class StudyRecord:
    """One row of `research.studies`."""

    study_id: str
    strategy: str
    strategy_version: int
    definition_hash: str
    instrument_id: int
    timeframe: str
    panel_id: str
    first_ts: datetime
    last_ts: datetime
    bars: int
    method: str
    objective: str
    trials: int
    seed: int
    best_params: Json
    metrics: Json
    verdict: str
    source: str
    code_version: str
    run_id: str | None


@dataclass(frozen=True, slots=True)
class ReportRecord:
    """One row of `research.risk_reports`."""

    report_id: str
    portfolio: str
    as_of: date
    payload: Json
    html: str
    limit_state: str
    code_version: str
    run_id: str | None


def save_strategies(warehouse: Warehouse, rows: Sequence[Json]) -> None:
    """Make the catalogue equal to `rows` (strategy, version, family, title, definition_hash, definition)."""
    with warehouse.write() as connection:
        connection.execute(strategies.delete())
        connection.execute(strategies.insert(), [dict(row) for row in rows])


def save_study(
    warehouse: Warehouse,
    study: StudyRecord,
    *,
    evaluated: Iterable[Json],
    curve: Iterable[Json],
    traded: Iterable[Json],
) -> None:
    """Store a study with all that belongs to it, in one transaction; the same id again replaces it."""
    with warehouse.write() as connection:
        connection.execute(studies.delete().where(studies.c.study_id == study.study_id))
        connection.execute(studies.insert().values(**asdict(study)))
        for table, rows in ((evaluations, evaluated), (equity, curve), (trades, traded)):
            batch = [{**row, "study_id": study.study_id} for row in rows]
            if batch:
                connection.execute(table.insert(), batch)


def save_report(warehouse: Warehouse, report: ReportRecord) -> None:
    """Store a risk report; the same report id again changes nothing but the run that made it."""
    statement = insert(risk_reports).values(**asdict(report))
    again = {name: statement.excluded[name] for name in ("payload", "html", "limit_state", "code_version", "run_id")}
    with warehouse.write() as connection:
        connection.execute(statement.on_conflict_do_update(index_elements=["report_id"], set_=again))
