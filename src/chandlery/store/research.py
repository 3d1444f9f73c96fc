"""The strategy catalogue and risk reports."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

from sqlalchemy.dialects.postgresql import insert

from chandlery.store.tables import risk_reports, strategies
from chandlery.store.warehouse import Warehouse

Json = Mapping[str, Any]


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


def save_report(warehouse: Warehouse, report: ReportRecord) -> None:
    """Store a risk report; the same report id again changes nothing but the run that made it."""
    statement = insert(risk_reports).values(**asdict(report))
    again = {name: statement.excluded[name] for name in ("payload", "html", "limit_state", "code_version", "run_id")}
    with warehouse.write() as connection:
        connection.execute(statement.on_conflict_do_update(index_elements=["report_id"], set_=again))
