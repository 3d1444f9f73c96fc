"""Tell the calendar what no library knows: halts, closures, early closes, late openings."""

from collections.abc import Mapping
from datetime import timedelta

from chandlery.errors import InvalidInput
from chandlery.market.calendar import ZONES, build_sessions, hours_of
from chandlery.market.session_exceptions import SessionException, days_of, touches
from chandlery.steps.calendar import build_calendar
from chandlery.store.session_exceptions import StoredException, add_exception, list_exceptions, remove_exception
from chandlery.store.sessions import last_session
from chandlery.store.warehouse import Warehouse


def tell_exception(
    warehouse: Warehouse, exception: SessionException, *, source: str, evidence: Mapping[str, str]
) -> StoredException:
    """Store an exception; if it is the venue's, rebuild the table with it.

    Raises:
        InvalidInput: the calendar is unknown, or the exception was to change sessions and would change none.
        Conflict: it is already there.
    """
    if exception.calendar not in ZONES:
        raise InvalidInput(f"Calendar was {exception.calendar!r}; known calendars are {', '.join(ZONES)}.")
    if exception.moves_sessions:
        _require_effect(warehouse, exception)
    with warehouse.write() as connection:
        stored = add_exception(connection, exception, source=source, evidence=evidence)
    _rebuild(warehouse, exception)
    return stored


def withdraw_exception(warehouse: Warehouse, exception_id: int) -> SessionException:
    """Remove an exception and return it; if it was the venue's, rebuild the table without it.

    Raises:
        NotFound: there is none of that number.
    """
    with warehouse.write() as connection:
        exception = remove_exception(connection, exception_id)
    _rebuild(warehouse, exception)
    return exception


def _require_effect(warehouse: Warehouse, exception: SessionException) -> None:
    first, last = days_of(exception, ZONES[exception.calendar])
    with warehouse.read() as connection:
        others = [item.exception for item in list_exceptions(connection, exception.calendar)]
    same = (exception.kind, exception.starts_at)
    others = [item for item in others if (item.kind, item.starts_at) != same]
    sessions = build_sessions(exception.calendar, hours_of(exception.calendar, first, last), others)
    if not touches(exception, sessions):
        raise InvalidInput(
            f"A {exception.kind.value} of {exception.calendar} from {exception.starts_at.isoformat()} to "
            f"{exception.ends_at.isoformat()} was to change the sessions of {first} to {last - timedelta(days=1)}, "
            "and none of them would change. Check the day, the hours and their zone."
        )


def _rebuild(warehouse: Warehouse, exception: SessionException) -> None:
    if not exception.moves_sessions:
        return
    _, after = days_of(exception, ZONES[exception.calendar])
    with warehouse.read() as connection:
        last = last_session(connection)
    build_calendar(warehouse, end=after if last is None else max(after, last + timedelta(days=1)))
