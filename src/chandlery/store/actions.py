"""The judged list of corporate actions, in versions: what adjusts prices, and what was known when.

A judgement that changes ends one version and begins another at the same instant, so that a read as of any past
instant gives the list of that moment.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Integer, Row, any_, bindparam, or_, select
from sqlalchemy.dialects.postgresql import ARRAY

from chandlery.market.actions import Action, ActionKind, Status
from chandlery.store.instants import commit_instant, settle
from chandlery.store.recorded_actions import Changes, hold_instrument
from chandlery.store.tables import corporate_actions, instrument_tickers, instruments
from chandlery.store.warehouse import Reader, Warehouse, Writer


@dataclass(frozen=True, slots=True)
class StandingAction:
    """A present action of a tracked instrument under its present ticker."""

    symbol: str
    action: Action


def replace_actions(connection: Writer, *, instrument_id: int, actions: Sequence[Action]) -> Changes:
    """Make `actions` the judged list of an instrument: changed judgements begin and end, equal ones stay.

    The transaction holds the instrument until it ends.
    """
    hold_instrument(connection, instrument_id)
    table = corporate_actions
    present = select(table).where(table.c.instrument_id == instrument_id, table.c.known_to.is_(None))
    known = [(row.action_id, _action(row)) for row in connection.execute(present)]
    new = [action for action in actions if all(action != other for _, other in known)]
    gone = [number for number, action in known if all(action != other for other in actions)]
    if not new and not gone:
        return Changes()
    instant = commit_instant(connection)
    if gone:
        connection.execute(table.update().where(table.c.action_id.in_(gone)).values(known_to=instant))
    if new:
        connection.execute(table.insert(), [_values(action, instrument_id, instant) for action in new])
    return Changes(len(new), len(gone))


def read_actions(warehouse: Warehouse, instrument_id: int, as_of: datetime | None = None) -> tuple[Action, ...]:
    """Return the judged actions of an instrument, ascending by ex-date: the present ones, or those of an instant.

    Raises:
        InvalidInput: `as_of` lies in the future.
    """
    table = corporate_actions
    query = select(table).where(table.c.instrument_id == instrument_id)
    if as_of is None:
        query = query.where(table.c.known_to.is_(None))
    else:
        settle(warehouse, as_of)
        alive = or_(table.c.known_to.is_(None), table.c.known_to > as_of)
        query = query.where(table.c.known_from <= as_of, alive)
    with warehouse.read() as connection:
        rows = connection.execute(query.order_by(table.c.ex_date, table.c.kind, table.c.action_id)).all()
    return tuple(_action(row) for row in rows)


def present_actions(connection: Reader | Writer, instrument_ids: Sequence[int]) -> dict[int, tuple[Action, ...]]:
    """Return the present judged actions of many instruments, each ascending by ex-date; none where there are none."""
    table = corporate_actions
    mine = table.c.instrument_id == any_(bindparam("ids", list(instrument_ids), type_=ARRAY(Integer)))
    query = select(table).where(mine, table.c.known_to.is_(None))
    found: dict[int, list[Action]] = {number: [] for number in instrument_ids}
    for row in connection.execute(query.order_by(table.c.ex_date, table.c.kind, table.c.action_id)):
        found[row.instrument_id].append(_action(row))
    return {number: tuple(actions) for number, actions in found.items()}


def standing_actions(warehouse: Warehouse, status: Status) -> tuple[StandingAction, ...]:
    """Return the present actions of one status of the tracked instruments, by symbol and ex-date."""
    table, tickers = corporate_actions, instrument_tickers
    query = (
        select(table, tickers.c.ticker)
        .join(instruments, instruments.c.instrument_id == table.c.instrument_id)
        .join(tickers, tickers.c.instrument_id == table.c.instrument_id)
        .where(instruments.c.is_tracked, tickers.c.valid_to.is_(None))
        .where(table.c.status == status.value, table.c.known_to.is_(None))
        .order_by(tickers.c.ticker, table.c.ex_date, table.c.kind, table.c.action_id)
    )
    with warehouse.read() as connection:
        return tuple(StandingAction(row.ticker, _action(row)) for row in connection.execute(query))


def _action(row: Row[Any]) -> Action:
    return Action(
        kind=ActionKind(row.kind),
        ex_date=row.ex_date,
        status=Status(row.status),
        evidence=row.evidence,
        source=row.source,
        split_from=row.split_from,
        split_to=row.split_to,
        cash=row.cash,
        currency=row.currency,
        known_from=row.known_from,
        known_to=row.known_to,
    )


def _values(action: Action, instrument_id: int, instant: datetime) -> dict[str, object]:
    return {
        "instrument_id": instrument_id,
        "kind": action.kind.value,
        "ex_date": action.ex_date,
        "split_from": action.split_from,
        "split_to": action.split_to,
        "cash": action.cash,
        "currency": action.currency,
        "status": action.status.value,
        "evidence": dict(action.evidence),
        "source": action.source,
        "known_from": instant,
    }
