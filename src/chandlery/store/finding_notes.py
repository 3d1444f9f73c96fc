"""Events that leave a finding in its state: a repair proposed, a source asked again, a repair overtaken."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import func, select

from chandlery.store.tables import finding_events, findings
from chandlery.store.warehouse import Reader, Writer


def note_event(
    connection: Writer, finding_id: int, event: str, *, actor: str, detail: Mapping[str, object] | None = None
) -> None:
    """Note what happened to a finding that exists; its state stays."""
    query = select(findings.c.state).where(findings.c.finding_id == finding_id).with_for_update()
    state: str = connection.execute(query).scalar_one()
    connection.execute(
        finding_events.insert().values(
            finding_id=finding_id,
            happened_at=func.clock_timestamp(),
            event=event,
            actor=actor,
            from_state=state,
            to_state=state,
            detail=dict(detail or {}),
        )
    )


def last_note(connection: Reader | Writer, finding_id: int, prefix: str) -> tuple[str, Mapping[str, Any]] | None:
    """Return event and detail of a finding's latest event whose name begins with `prefix`."""
    columns = finding_events.c
    query = (
        select(columns.event, columns.detail)
        .where(columns.finding_id == finding_id, columns.event.startswith(prefix, autoescape=True))
        .order_by(columns.event_id.desc())
        .limit(1)
    )
    row = connection.execute(query).one_or_none()
    return None if row is None else (row.event, row.detail)
