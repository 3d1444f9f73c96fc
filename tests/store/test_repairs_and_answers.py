"""What a source answers after a repair: the same again is no news, anything else is its word."""

import pytest
from repaired_series import BAD, NAN, RULE, RepairedSeries, minute

from chandlery.errors import WrongState
from chandlery.store.findings import events_of


def test_source_that_repeats_its_mistake_does_not_undo_a_repair(spoilt: RepairedSeries) -> None:
    spoilt.repair({1: 11.0})
    rows = spoilt.rows("ctid, ts, close, reason")
    again = spoilt.answer(BAD, found={1: RULE})
    assert (again.rows_new, again.rows_revised, again.rows_withdrawn) == (0, 0, 0)
    assert spoilt.rows("ctid, ts, close, reason") == rows
    assert spoilt.state() == "repaired"
    assert spoilt.events()[-1] == "repair_applied"


def test_other_bars_of_an_answer_that_repeats_a_mistake_are_taken(spoilt: RepairedSeries) -> None:
    spoilt.repair({1: 11.0})
    outcome = spoilt.answer({**BAD, 2: 12.5, 3: 13.0})
    assert outcome.reasons == (("first", 1), ("vendor_correction", 1))
    assert spoilt.closes() == {0: 10.0, 1: 11.0, 2: 12.5, 3: 13.0}


def test_source_that_agrees_with_a_repair_changes_nothing(spoilt: RepairedSeries) -> None:
    number = spoilt.repair({1: 11.0})
    assert spoilt.answer({**BAD, 1: 11.0}).rows_revised == 0
    assert spoilt.reasons() == ["first", "repair", "first"]
    assert spoilt.read(number).status == "applied"


def test_other_values_of_the_source_supersede_a_repair(spoilt: RepairedSeries) -> None:
    number = spoilt.repair({1: 11.0})
    outcome = spoilt.answer({**BAD, 1: 11.2})
    assert outcome.reasons == (("vendor_correction", 1),)
    assert spoilt.closes()[1] == 11.2
    repair = spoilt.read(number)
    assert (repair.status, repair.decided_by) == ("superseded", "vendor")
    with spoilt.warehouse.read() as connection:
        last = events_of(connection, spoilt.finding_id)[-1]
    assert (last.event, last.from_state, last.to_state) == ("repair_superseded", "repaired", "repaired")
    assert last.detail == {"repair_id": number, "bars": [minute(1).isoformat()], "source": "vendor"}


def test_mistake_that_comes_back_after_a_correction_is_the_source_s_word(spoilt: RepairedSeries) -> None:
    spoilt.repair({1: 11.0})
    spoilt.answer({**BAD, 1: 11.2})
    assert spoilt.answer(BAD).rows_revised == 1
    assert spoilt.closes()[1] == 1100.0


def test_bar_the_source_withdraws_goes_although_it_was_repaired(spoilt: RepairedSeries) -> None:
    number = spoilt.repair({1: 11.0})
    assert spoilt.answer({0: 10.0, 2: 12.0}).rows_withdrawn == 1
    assert spoilt.closes() == {0: 10.0, 2: 12.0}
    assert spoilt.read(number).status == "superseded"


def test_values_a_source_does_not_publish_are_not_compared_with_the_original(spoilt: RepairedSeries) -> None:
    spoilt.repair({1: 11.0})
    spoilt.answer(BAD, unpublished=("vwap", "trade_count"), vwap=None, trade_count=None)
    assert spoilt.closes() == {0: 10.0, 1: 11.0, 2: 12.0}
    assert spoilt.reasons() == ["first", "repair", "first"]


def test_repair_of_which_one_bar_is_corrected_stands_for_the_other(world: RepairedSeries) -> None:
    world.answer({0: 1000.0, 1: 1100.0}, found={0: RULE})
    number = world.repair({0: 10.0, 1: 11.0})
    world.answer({0: 10.3, 1: 1100.0})
    assert world.closes() == {0: 10.3, 1: 11.0}
    assert (world.read(number).status, world.events()[-1]) == ("applied", "repair_superseded")
    world.revert(number)
    assert world.closes() == {0: 10.3, 1: 1100.0}
    with world.warehouse.read() as connection:
        assert events_of(connection, world.finding_id)[-1].detail == {
            "repair_id": number,
            "not_standing": [minute(0).isoformat()],
            "note": "was right",
        }


def test_held_bar_that_was_repaired_is_held_no_second_time(withheld: RepairedSeries) -> None:
    withheld.repair({1: 11.0})
    outcome = withheld.answer({0: 10.0, 2: 12.0}, held={1: NAN})
    assert (outcome.rows_new, outcome.rows_revised, outcome.rows_withdrawn) == (0, 0, 0)
    assert withheld.quarantine() == []
    assert withheld.closes() == {0: 10.0, 1: 11.0, 2: 12.0}
    assert withheld.state() == "repaired"


def test_repaired_bar_that_comes_wrong_in_another_way_is_held_beside_it(withheld: RepairedSeries) -> None:
    number = withheld.repair({1: 11.0})
    withheld.answer({0: 10.0, 2: 12.0}, held={1: 5e9})
    assert [row[3] for row in withheld.quarantine()] == ["5000000000"]
    assert withheld.closes() == {0: 10.0, 1: 11.0, 2: 12.0}
    assert withheld.state() == "open"
    assert withheld.read(number).status == "applied"


def test_source_that_drops_a_bar_it_had_sent_wrong_takes_the_repair_along(withheld: RepairedSeries) -> None:
    number = withheld.repair({1: 11.0})
    assert withheld.answer({0: 10.0, 2: 12.0}).rows_withdrawn == 1
    assert withheld.read(number).status == "superseded"


def test_bar_that_came_by_repair_alone_stays_while_the_source_has_none(hollow: RepairedSeries) -> None:
    number = hollow.repair({1: 11.0})
    assert hollow.answer({0: 10.0, 2: 12.0}, found={0: "minutes_are_complete"}).rows_withdrawn == 0
    assert hollow.closes() == {0: 10.0, 1: 11.0, 2: 12.0}
    assert hollow.state() == "repaired"
    hollow.revert(number)
    assert hollow.closes() == {0: 10.0, 2: 12.0}
    assert hollow.rows("bars", "ops.bar_sessions", "session") == [(2,)]


def test_bar_of_the_source_takes_the_place_of_one_that_came_by_repair_alone(hollow: RepairedSeries) -> None:
    number = hollow.repair({1: 11.0})
    assert hollow.answer({0: 10.0, 1: 11.4, 2: 12.0}).reasons == (("vendor_correction", 1),)
    assert hollow.read(number).status == "superseded"


def test_repair_on_a_repair_guards_against_the_first_mistake_and_goes_first(spoilt: RepairedSeries) -> None:
    lower = spoilt.repair({1: 11.0})
    spoilt.answer({**BAD, 1: 1100.0}, found={1: RULE, 0: "another_rule"})
    upper = spoilt.repair({1: 11.01})
    spoilt.answer(BAD)
    assert spoilt.closes()[1] == 11.01
    with pytest.raises(WrongState, match="none of its 1 bars stands as it left them"):
        spoilt.revert(lower)
    spoilt.revert(upper)
    assert spoilt.closes()[1] == 11.0
    spoilt.answer(BAD)
    assert spoilt.closes()[1] == 11.0, "the lower repair guards again"
    spoilt.revert(lower)
    assert spoilt.closes() == BAD


def test_repair_whose_finding_is_open_again_can_be_reverted(withheld: RepairedSeries) -> None:
    number = withheld.repair({1: 11.0})
    withheld.answer({0: 10.0, 2: 12.0}, held={1: 5e9})
    withheld.revert(number)
    assert withheld.closes() == {0: 10.0, 2: 12.0}
    assert [row[3] for row in withheld.quarantine()] == ["5000000000"], "the newer word is the one that is held"
    assert (withheld.state(), withheld.events()[-1]) == ("open", "repair_undone")
