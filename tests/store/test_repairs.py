"""Repairs: proposed, applied, rejected, taken back; what was published before stays."""

from concurrent.futures import ThreadPoolExecutor

import polars as pl
import pytest
from repaired_series import BAD, NAN, RULE, RepairedSeries, bars, minute

from chandlery import clock
from chandlery.errors import NotFound, WrongState
from chandlery.quality.repairs.proposal import Method
from chandlery.store.findings import events_of
from chandlery.store.history import versions
from chandlery.store.repair_candidates import findings_to_repair, retire_proposals
from chandlery.store.repair_decisions import approve, dismiss
from chandlery.store.repairs import (
    METHODS,
    Noted,
    find_repair,
    is_declined,
    list_repairs,
    open_proposal,
)


def test_approved_proposal_is_a_version_and_the_original_stays(spoilt: RepairedSeries) -> None:
    before, instant = spoilt.as_of(None), clock.now()
    number = spoilt.repair({1: 11.0})
    assert spoilt.closes() == {0: 10.0, 1: 11.0, 2: 12.0}
    assert spoilt.reasons() == ["first", "repair", "first"]
    assert spoilt.rows("close, reason", "raw.massive__bars_1m_history") == [(1100.0, "first")]
    assert spoilt.as_of(instant).equals(before)
    facts = "i.source, i.window_id = w.window_id"
    tables = (
        "raw.massive__bars_1m b join ops.ingests i using (ingest_id) join ops.ingest_windows w using (instrument_id)"
    )
    assert spoilt.rows(facts, tables) == [("vendor", True), ("repair:arithmetic", True), ("vendor", True)]
    repair = spoilt.read(number)
    assert (repair.status, repair.decided_by, repair.method) == ("applied", "ann", "arithmetic")
    assert spoilt.rows("bars, ingest_id", "ops.bar_sessions", "session") == [(3, repair.ingest_id)]
    assert spoilt.state() == "repaired"
    assert spoilt.events() == ["repair_proposed", "repair_applied"]


def test_versions_of_a_repaired_bar_name_vendor_and_repair(spoilt: RepairedSeries) -> None:
    spoilt.repair({1: 11.0})
    found = versions(spoilt.warehouse, spoilt.series).filter(pl.col("ts") == minute(1))
    assert found.select("close", "reason", "source").rows() == [
        (1100.0, "first", "vendor"),
        (11.0, "repair", "repair:arithmetic"),
    ]
    assert found["known_to"][0] == found["known_from"][1]


def test_reverted_repair_brings_back_what_stood_before(spoilt: RepairedSeries) -> None:
    before = spoilt.as_of(None)
    repair = spoilt.revert(spoilt.repair({1: 11.0}))
    assert spoilt.as_of(None).equals(before)
    assert spoilt.reasons() == ["first", "repair_undone", "first"]
    assert (repair.status, repair.undone_by is not None) == ("reverted", True)
    assert spoilt.rows("bars, ingest_id", "ops.bar_sessions", "session") == [(3, repair.undone_by)]
    assert spoilt.query(spoilt.warehouse, "select source from ops.ingests where ingest_id = %s", repair.undone_by) == [
        ("vendor",)
    ]
    assert spoilt.state() == "open"
    assert spoilt.events() == ["repair_proposed", "repair_applied", "repair_undone"]
    history = spoilt.rows("close, reason", "raw.massive__bars_1m_history", "ingest_id")
    assert history == [(1100.0, "first"), (11.0, "repair")]


def test_held_bar_that_is_repaired_appears_and_leaves_quarantine(withheld: RepairedSeries) -> None:
    (row,) = withheld.quarantine()
    number = withheld.repair({1: 11.0})
    assert withheld.closes() == {0: 10.0, 1: 11.0, 2: 12.0}
    assert withheld.reasons() == ["first", "repair", "first"]
    assert withheld.quarantine() == []
    assert withheld.rows("bars", "ops.bar_sessions", "session") == [(3,)]
    (original,) = withheld.read(number).before
    assert (original["close"], original["held"]["rules"], original["held"]["window_id"]) == (
        "NaN",
        ["values_are_finite"],
        row[0],
    )


def test_reverted_repair_of_a_held_bar_returns_it_to_quarantine(withheld: RepairedSeries) -> None:
    before, held, instant = withheld.as_of(None), withheld.quarantine(), clock.now()
    withheld.revert(withheld.repair({1: 11.0}))
    assert withheld.as_of(None).equals(before)
    assert withheld.as_of(instant).equals(before)
    assert withheld.quarantine() == held
    assert withheld.rows("close, reason", "raw.massive__bars_1m_history") == [(11.0, "repair")]
    assert withheld.state() == "open"


def test_rungs_are_those_of_the_methods() -> None:
    assert tuple(Method) == METHODS


def test_same_proposal_is_written_once(spoilt: RepairedSeries) -> None:
    first = spoilt.propose(bars({1: 11.0}))
    assert first.outcome == "proposed"
    assert spoilt.propose(bars({1: 11.0})) == Noted("unchanged", first.repair_id)
    assert spoilt.rows("status", "ops.repairs", "1") == [("proposed",)]
    assert spoilt.events() == ["repair_proposed"]


def test_proposal_of_a_higher_rung_takes_the_place_of_a_lower_one_only(spoilt: RepairedSeries) -> None:
    arithmetic = spoilt.propose(bars({1: 11.0}))
    assert spoilt.propose(bars({1: 11.3}), method=Method.OTHER_SOURCE) == Noted("ranks_below", arithmetic.repair_id)
    better = spoilt.propose(bars({1: 11.2}), method=Method.REFETCH)
    statuses = spoilt.rows("repair_id, status", "ops.repairs", "repair_id")
    assert statuses == [(arithmetic.repair_id, "superseded"), (better.repair_id, "proposed")]
    with spoilt.warehouse.read() as connection:
        detail = events_of(connection, spoilt.finding_id)[-1].detail
    assert (detail["repair_id"], detail["replaces"]) == (better.repair_id, arithmetic.repair_id)


def test_proposal_that_changes_nothing_is_not_kept(spoilt: RepairedSeries) -> None:
    assert spoilt.propose(bars({0: 10.0, 1: 1100.0})) == Noted("needless")


def test_proposal_keeps_only_the_bars_it_changes(spoilt: RepairedSeries) -> None:
    number = spoilt.propose(bars({0: 10.0, 1: 11.0})).repair_id
    assert number is not None
    assert (spoilt.read(number).instants, len(spoilt.read(number).before)) == ([minute(1)], 1)


@pytest.mark.parametrize("seen", [{1: 1099.0}, {}])
def test_proposal_made_from_other_values_is_stale(spoilt: RepairedSeries, seen: dict[int, float]) -> None:
    assert spoilt.propose(bars({1: 11.0}), before=bars(seen)) == Noted("stale")


def test_proposal_whose_bar_changed_meanwhile_is_refused_with_both_values(spoilt: RepairedSeries) -> None:
    number = spoilt.propose(bars({1: 11.0})).repair_id
    spoilt.answer({**BAD, 1: 1200.0}, found={1: RULE})
    with pytest.raises(WrongState, match=r"stale.*close 1100\.0 .*close 1200\.0 ") as refusal:
        spoilt.approve()
    assert f"`chandlery repairs propose --finding {spoilt.finding_id}`" in str(refusal.value)
    assert (spoilt.state(), spoilt.closes()[1]) == ("open", 1200.0)
    better = spoilt.propose(bars({1: 12.0}))
    assert spoilt.rows("repair_id, status", "ops.repairs", "repair_id") == [
        (number, "superseded"),
        (better.repair_id, "proposed"),
    ]
    assert spoilt.approve() == "repaired"
    assert spoilt.closes()[1] == 12.0


def test_approval_without_a_proposal_confirms(spoilt: RepairedSeries) -> None:
    assert spoilt.approve(note="seen it") == "confirmed"
    assert spoilt.closes() == BAD
    assert spoilt.propose(bars({1: 11.0})).outcome == "proposed"
    assert spoilt.approve() == "repaired"


def test_dismissal_rejects_the_proposal(spoilt: RepairedSeries) -> None:
    number = spoilt.propose(bars({1: 11.0})).repair_id
    assert number is not None
    with spoilt.warehouse.write() as connection:
        assert dismiss(connection, spoilt.finding_id, actor="ann", note="true").state == "dismissed"
    assert (spoilt.read(number).status, spoilt.closes()) == ("rejected", BAD)
    with spoilt.warehouse.read() as connection:
        last = events_of(connection, spoilt.finding_id)[-1]
    assert (last.actor, last.detail) == ("ann", {"repair_id": number, "note": "true"})
    with pytest.raises(WrongState, match="is dismissed"):
        spoilt.approve()


@pytest.mark.parametrize("settled", ["repaired", "dismissed"])
def test_settled_finding_can_be_neither_approved_nor_dismissed(spoilt: RepairedSeries, settled: str) -> None:
    if settled == "repaired":
        spoilt.repair({1: 11.0})
    else:
        with spoilt.warehouse.write() as connection:
            dismiss(connection, spoilt.finding_id, actor="ann")
    for decide in (approve, dismiss):
        with pytest.raises(WrongState, match=f"is {settled}"), spoilt.warehouse.write() as connection:
            decide(connection, spoilt.finding_id, actor="bob")
    assert spoilt.state() == settled


@pytest.mark.parametrize("status", ["proposed", "rejected", "reverted", "superseded"])
def test_repair_that_is_not_applied_cannot_be_reverted(spoilt: RepairedSeries, status: str) -> None:
    number = spoilt.propose(bars({1: 11.0})).repair_id
    assert number is not None
    if status == "rejected":
        with spoilt.warehouse.write() as connection:
            dismiss(connection, spoilt.finding_id, actor="ann")
    elif status == "reverted":
        spoilt.approve()
        spoilt.revert(number)
    elif status == "superseded":
        spoilt.propose(bars({1: 11.1}))
    rows = spoilt.rows("ctid, close")
    with pytest.raises(WrongState, match=f"is {status}"):
        spoilt.revert(number)
    assert spoilt.rows("ctid, close") == rows


def test_number_of_no_repair_is_not_found(spoilt: RepairedSeries) -> None:
    with pytest.raises(NotFound, match="Repair 999999 does not exist"):
        spoilt.revert(999_999)


def test_error_inside_an_approval_leaves_all_as_it_was(spoilt: RepairedSeries) -> None:
    number = spoilt.propose(bars({1: 11.0})).repair_id
    assert number is not None

    def killed() -> None:
        with spoilt.warehouse.write() as connection:
            approve(connection, spoilt.finding_id, actor="ann")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        killed()
    assert (spoilt.closes(), spoilt.state(), spoilt.read(number).status) == (BAD, "open", "proposed")
    assert spoilt.rows("1", "raw.massive__bars_1m_history") == []


def test_of_two_approvals_at_once_one_is_made(spoilt: RepairedSeries) -> None:
    spoilt.propose(bars({1: 11.0}))

    def try_it(_: int) -> str:
        try:
            return spoilt.approve()
        except WrongState:
            return "refused"

    with ThreadPoolExecutor(4) as threads:
        assert sorted(threads.map(try_it, range(4))) == ["refused"] * 3 + ["repaired"]
    assert spoilt.rows("close, reason", "raw.massive__bars_1m_history") == [(1100.0, "first")]


def test_values_taken_back_are_known_as_declined(spoilt: RepairedSeries) -> None:
    spoilt.revert(spoilt.repair({1: 11.0}))
    same, other = spoilt.propose(bars({1: 11.0})).repair_id, spoilt.propose(bars({1: 11.1})).repair_id
    assert same is not None
    assert other is not None
    with spoilt.warehouse.read() as connection:
        assert is_declined(connection, find_repair(connection, same))
        assert not is_declined(connection, find_repair(connection, other))


def test_findings_that_ask_for_a_repair_are_grave_or_of_held_bars(world: RepairedSeries) -> None:
    world.answer({0: 10.0, 2: 12.0}, held={1: NAN}, found={0: "a_minor_rule", 1: "values_are_finite"}, severity="minor")
    with world.warehouse.read() as connection:
        asking = findings_to_repair(connection, [world.instrument.symbol])
        assert [finding.rule for finding in asking] == ["values_are_finite"]
    world.answer({0: 10.0, 1: 1100.0}, found={1: RULE}, severity="major")
    with world.warehouse.read() as connection:
        asking = findings_to_repair(connection, [world.instrument.symbol])
    assert [finding.rule for finding in asking] == [RULE]


def test_proposal_of_a_finding_that_is_found_no_more_is_retired(spoilt: RepairedSeries) -> None:
    number = spoilt.propose(bars({1: 11.0})).repair_id
    assert number is not None
    spoilt.answer({**BAD, 1: 11.0})
    assert spoilt.state() == "repaired"
    with spoilt.warehouse.write() as connection:
        assert retire_proposals(connection, actor="ladder") == 1
        assert open_proposal(connection, spoilt.finding_id) is None
        assert [repair.repair_id for repair in list_repairs(connection, symbol=spoilt.instrument.symbol)] == [number]
