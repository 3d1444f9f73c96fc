"""The judged list in versions, and the list of any past instant."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from chandlery.clock import now
from chandlery.errors import InvalidInput
from chandlery.market.actions import Action, ActionKind, Status
from chandlery.store.actions import read_actions, replace_actions, standing_actions
from chandlery.store.recorded_actions import Changes
from chandlery.store.warehouse import Warehouse

Ask = Callable[..., list[tuple[Any, ...]]]


@pytest.fixture
def number(warehouse: Warehouse, ask: Ask, tell: Callable[..., None]) -> int:
    """An instrument of the test's own, tracked as Tn."""
    tell(warehouse, "insert into ops.instruments (asset_class, calendar) values ('stocks', 'NYSE')")
    made = ask(warehouse, "select max(instrument_id) from ops.instruments")[0][0]
    tell(warehouse, f"insert into ops.instrument_tickers values ('T{made}', '1900-01-01', null, {made}, 'tape')")
    return made


def split(day: date, status: Status, **evidence: str | float) -> Action:
    return Action(
        kind=ActionKind.SPLIT,
        ex_date=day,
        status=status,
        evidence={"reason": "made", **evidence},
        source="massive",
        split_from=1,
        split_to=10,
    )


PAID = Action(
    kind=ActionKind.CASH_DIVIDEND,
    ex_date=date(2013, 2, 7),
    status=Status.ACCEPTED,
    evidence={"reason": "nothing_against_it", "share_of_previous_close": 0.005794},
    source="wiki",
    cash=Decimal("2.650000000000000000001"),
    currency="USD",
)
EARLY, LATE = date(2022, 6, 22), date(2022, 6, 29)


def judge(warehouse: Warehouse, number: int, *actions: Action) -> Changes:
    with warehouse.write() as connection:
        return replace_actions(connection, instrument_id=number, actions=actions)


def test_actions_are_read_as_they_were_judged(warehouse: Warehouse, number: int) -> None:
    suspected = split(LATE, Status.SUSPECTED, moved=0.989301, collides_with="2022-06-22")
    assert judge(warehouse, number, suspected, PAID) == Changes(2, 0)
    found = read_actions(warehouse, number)
    assert found == (PAID, suspected)
    assert found[0].cash == Decimal("2.650000000000000000001")
    assert found[0].known_from == found[1].known_from


def test_equal_verdicts_write_nothing(warehouse: Warehouse, ask: Ask, number: int) -> None:
    judge(warehouse, number, PAID, split(LATE, Status.SUSPECTED))
    before = read_actions(warehouse, number)
    assert judge(warehouse, number, split(LATE, Status.SUSPECTED), PAID) == Changes()
    assert [item.known_from for item in read_actions(warehouse, number)] == [item.known_from for item in before]
    assert ask(warehouse, "select count(*) from ops.corporate_actions where instrument_id = %s", number) == [(2,)]


def test_any_past_instant_gives_the_list_of_its_time(warehouse: Warehouse, number: int) -> None:
    states = [
        (split(EARLY, Status.SUSPECTED), split(LATE, Status.SUSPECTED)),
        (split(EARLY, Status.REJECTED), split(LATE, Status.ACCEPTED)),
        (split(LATE, Status.ACCEPTED),),
        (),
        (split(LATE, Status.ACCEPTED),),
    ]
    instants = [now()]
    for state in states:
        judge(warehouse, number, *state)
        instants.append(now())
    assert read_actions(warehouse, number, as_of=instants[0]) == ()
    for state, instant in zip(states, instants[1:], strict=True):
        assert read_actions(warehouse, number, as_of=instant) == state
    accepted = read_actions(warehouse, number, as_of=instants[2])[1]
    assert accepted.known_from is not None
    assert accepted.known_to is not None
    # The version begins with its instant and ends before the one that replaced it.
    assert accepted in read_actions(warehouse, number, as_of=accepted.known_from)
    assert accepted not in read_actions(warehouse, number, as_of=accepted.known_to)
    assert accepted in read_actions(warehouse, number, as_of=accepted.known_to - timedelta(microseconds=1))


def test_future_instant_is_refused(warehouse: Warehouse, number: int) -> None:
    with pytest.raises(InvalidInput, match="later than now"):
        read_actions(warehouse, number, as_of=datetime(2200, 1, 1, tzinfo=UTC))


def test_standing_ones_are_those_of_tracked_instruments(
    warehouse: Warehouse, number: int, tell: Callable[..., None]
) -> None:
    judge(warehouse, number, PAID, split(LATE, Status.SUSPECTED))
    mine = [item for item in standing_actions(warehouse, Status.SUSPECTED) if item.symbol == f"T{number}"]
    assert [item.action.ex_date for item in mine] == [LATE]
    tell(warehouse, f"update ops.instruments set is_tracked = false where instrument_id = {number}")
    assert f"T{number}" not in {item.symbol for item in standing_actions(warehouse, Status.SUSPECTED)}
