"""Corporate actions: judge what is recorded against prices, show what stands."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from chandlery.log import get_logger
from chandlery.market.actions import Action, ActionKind, Status
from chandlery.market.symbols import parse_symbol
from chandlery.market.verdicts import judge
from chandlery.sources.protocol import BarSource
from chandlery.steps.recorded_actions import (
    Line,
    chosen_instruments,
    ingest_dividends,
    ingest_splits,
    ingest_ticker_events,
)
from chandlery.store.actions import read_actions, replace_actions, standing_actions
from chandlery.store.day_prices import read_day_prices
from chandlery.store.recorded_actions import Changes, read_records
from chandlery.store.universe import find_instrument
from chandlery.store.warehouse import Warehouse

log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class VerdictReceipt:
    """The judged list of all tracked instruments, and what of it is new or gone."""

    accepted: int
    suspected: int
    rejected: int
    changes: Changes
    doubted: tuple[Line, ...]
    """Suspected and rejected ones, with their reasons."""


@dataclass(frozen=True, slots=True)
class StandingActions:
    """Present actions that prices neither prove nor refute."""

    suspected: int
    rows: tuple[Line, ...]


def judge_actions(warehouse: Warehouse, *, symbols: Sequence[str] = ()) -> VerdictReceipt:
    """Judge what is recorded of every tracked instrument, or of some, against its raw prices of now.

    To be repeated after bars have landed: a coming split is accepted on its record and proven by its session. Equal
    verdicts write nothing.

    Raises:
        NotFound: a symbol is not tracked.
    """
    changes, counts, doubted = Changes(), Counter[Status](), list[Line]()
    for instrument in chosen_instruments(warehouse, symbols, including_delisted=True):
        with warehouse.read() as connection:
            days = [item.day for item in read_records(connection, instrument.instrument_id)]
        prices = read_day_prices(warehouse, instrument, days)
        with warehouse.write() as connection:
            records = read_records(connection, instrument.instrument_id)
            actions = judge(records, prices, currency=instrument.currency)
            changes += replace_actions(connection, instrument_id=instrument.instrument_id, actions=actions)
        counts.update(action.status for action in actions)
        doubted += [_line(instrument.symbol, action) for action in actions if action.status is not Status.ACCEPTED]
    named = {status: counts[status] for status in Status}
    log.info("actions_judged", **{status.value: count for status, count in named.items()}, new=changes.new)
    return VerdictReceipt(
        accepted=named[Status.ACCEPTED],
        suspected=named[Status.SUSPECTED],
        rejected=named[Status.REJECTED],
        changes=changes,
        doubted=tuple(doubted),
    )


def ingest_actions(
    source: BarSource, warehouse: Warehouse, *, source_name: str, symbols: Sequence[str] = ()
) -> VerdictReceipt:
    """Fetch splits, dividends and ticker events of the tracked stocks, or of some, and judge them.

    Raises:
        NotFound: a symbol is not tracked.
        SourceError: the source did not answer.
    """
    for ingest in (ingest_splits, ingest_dividends, ingest_ticker_events):
        ingest(source, warehouse, source_name=source_name, symbols=symbols)
    return judge_actions(warehouse, symbols=symbols)


def find_actions(
    warehouse: Warehouse, symbol: str, *, kind: ActionKind | None = None, as_of: datetime | None = None
) -> tuple[Action, ...]:
    """Return the judged actions of a tracked symbol, ascending by ex-date; none is an answer too.

    Raises:
        InvalidInput: an impossible symbol, or an instant in the future.
        NotFound: the symbol is not tracked.
    """
    with warehouse.read() as connection:
        instrument = find_instrument(connection, parse_symbol(symbol))
    actions = read_actions(warehouse, instrument.instrument_id, as_of)
    return tuple(action for action in actions if kind is None or action.kind is kind)


def suspected_actions(warehouse: Warehouse) -> StandingActions:
    """Return the actions that wait for evidence; they adjust nothing."""
    found = standing_actions(warehouse, Status.SUSPECTED)
    return StandingActions(len(found), tuple(_line(item.symbol, item.action) for item in found))


def _line(symbol: str, action: Action) -> Line:
    return {
        "symbol": symbol,
        "ex_date": str(action.ex_date),
        "action": _described(action),
        "status": action.status.value,
        "reason": str(action.evidence.get("reason", "")),
    }


def _described(action: Action) -> str:
    """Return what an action is in a few words: `split 2:1`, `cash_dividend 0.24 USD`, `ticker_change META`."""
    if action.kind is ActionKind.SPLIT:
        return f"split {action.split_to}:{action.split_from}"
    if action.kind is ActionKind.CASH_DIVIDEND:
        return f"cash_dividend {action.cash} {action.currency}"
    return f"ticker_change {action.evidence.get('ticker', '')}"
