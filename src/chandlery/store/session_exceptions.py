"""Exceptions of the calendar as people and sources told them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import RowMapping, delete, select
from sqlalchemy.dialects.postgresql import insert

from chandlery.errors import Conflict, NotFound
from chandlery.market.session_exceptions import ExceptionKind, SessionException
from chandlery.store.tables import session_exceptions
from chandlery.store.warehouse import Reader, Writer

_TABLE = session_exceptions.c


@dataclass(frozen=True, slots=True)
class StoredException:
    """An exception with its number, who told it and what for."""

    exception_id: int
    exception: SessionException
    source: str
    evidence: Mapping[str, str]
    created_at: datetime


def add_exception(
    connection: Writer, exception: SessionException, *, source: str, evidence: Mapping[str, str]
) -> StoredException:
    """Store an exception.

    Raises:
        Conflict: one of the same kind begins at the same instant at this venue or instrument.
    """
    facts = {
        "calendar": exception.calendar,
        "instrument_id": exception.instrument_id,
        "kind": exception.kind.value,
        "starts_at": exception.starts_at,
        "ends_at": exception.ends_at,
        "reason": exception.reason.strip(),
        "evidence": dict(evidence),
        "source": source,
    }
    statement = insert(session_exceptions).values(**facts).on_conflict_do_nothing()
    row = connection.execute(statement.returning(_TABLE.exception_id, _TABLE.created_at)).one_or_none()
    if row is None:
        raise Conflict(
            f"A {exception.kind.value} of {exception.calendar} from {exception.starts_at.isoformat()} is already "
            "there (`chandlery calendar exceptions list`). Remove it first to change it."
        )
    return StoredException(row[0], exception, source, dict(evidence), row[1])


def remove_exception(connection: Writer, exception_id: int) -> SessionException:
    """Remove an exception and return what it was.

    Raises:
        NotFound: there is none of that number.
    """
    gone = delete(session_exceptions).where(_TABLE.exception_id == exception_id).returning(session_exceptions)
    row = connection.execute(gone).mappings().one_or_none()
    if row is None:
        raise NotFound(f"Exception {exception_id} does not exist; `chandlery calendar exceptions list` shows all.")
    return _exception(row)


def list_exceptions(connection: Reader | Writer, calendar: str | None = None) -> tuple[StoredException, ...]:
    """Return the exceptions of one calendar or all, by start."""
    query = select(session_exceptions).order_by(_TABLE.starts_at, _TABLE.exception_id)
    if calendar is not None:
        query = query.where(_TABLE.calendar == calendar)
    return tuple(
        StoredException(row["exception_id"], _exception(row), row["source"], row["evidence"], row["created_at"])
        for row in connection.execute(query).mappings()
    )


def _exception(row: RowMapping) -> SessionException:
    return SessionException(
        calendar=str(row["calendar"]),
        kind=ExceptionKind(str(row["kind"])),
        starts_at=row["starts_at"],
        ends_at=row["ends_at"],
        reason=str(row["reason"]),
        instrument_id=row["instrument_id"],
    )
