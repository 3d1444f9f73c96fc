"""When the number of instruments says something of the source."""

import json
from dataclasses import replace

import polars as pl
import pytest
from venue_views import clean_venue, opening, session_of, with_member, without_bars

from chandlery.quality.venue.registry import VENUE_RULES

RULE = VENUE_RULES["universe_is_whole"]
VIEW = clean_venue()


def test_evidence_names_who_is_absent() -> None:
    hits = RULE.judge(without_bars(VIEW, [3, 8], [session_of(VIEW, 2)]))
    evidence = json.loads(hits["evidence"][0])
    assert evidence == {
        "instruments": 10,
        "usual": 12.0,
        "listed": 12,
        "absent": "S03, S08",
        "absent_in_all": 2,
    }


@pytest.mark.parametrize(("gone", "found"), [(1, 0), (2, 1)])
def test_three_percent_of_fifty_may_be_absent(gone: int, found: int) -> None:
    # 97 % of 50 are 48.5: one absent is usual, two are not.
    view = clean_venue(members=50)
    assert RULE.judge(without_bars(view, range(1, gone + 1), [session_of(view, 2)])).height == found


def test_delisted_instruments_are_not_absent() -> None:
    day = session_of(VIEW, 2)
    after = VIEW.sessions.filter(pl.col("session") >= day)["session"].to_list()
    gone = without_bars(VIEW, [3], after)
    assert RULE.judge(gone).height == 3
    assert RULE.judge(with_member(gone, 3, delisted_on=day)).is_empty()
    assert RULE.judge(with_member(gone, 3, ends_on=session_of(VIEW, 1))).is_empty()


def test_session_that_is_not_due_has_no_drop() -> None:
    empty = without_bars(VIEW, range(1, 13), [session_of(VIEW, -1)])
    assert RULE.judge(empty).height == 1
    assert RULE.judge(replace(empty, now=opening(VIEW, -1, 389))).is_empty()


def test_a_handful_of_instruments_is_no_universe() -> None:
    view = clean_venue(members=9)
    assert RULE.judge(without_bars(view, [3], [session_of(view, 2)])).is_empty()
    assert (
        RULE.judge(replace(without_bars(view, [3], [session_of(view, 2)]), overrides={"universe_members": 9.0})).height
        == 1
    )


def test_instruments_that_never_had_bars_are_no_drop() -> None:
    assert RULE.judge(without_bars(VIEW, [3], VIEW.sessions["session"].to_list())).is_empty()
