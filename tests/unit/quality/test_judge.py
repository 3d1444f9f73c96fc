"""A rule that raises is a finding of its own name, and takes nothing from what rules find."""

import json
from dataclasses import replace
from datetime import timedelta

import polars as pl
from series_views import clean_view
from venue_views import clean_venue

from chandlery.market.findings import WORKS
from chandlery.market.timeframes import Timeframe
from chandlery.quality.judge import judge_series, judge_venue
from chandlery.quality.series.registry import SERIES_RULES
from chandlery.quality.series.rule import Hit, hits_frame
from chandlery.quality.series.view import SeriesView
from chandlery.quality.venue.registry import VENUE_RULES
from chandlery.quality.venue.view import VenueView

VIEW = clean_view(Timeframe.D1)
RULE = SERIES_RULES["session_has_its_bar"]
FIRST_BAR = VIEW.bars.filter(pl.col("ts") >= VIEW.sessions.filter(pl.col("session") == VIEW.start)["day_ts"][0])["ts"][
    0
]


def fail(_: SeriesView | VenueView) -> pl.DataFrame:
    raise ValueError("out of order\nand more")


def find_first_day(view: SeriesView) -> pl.DataFrame:
    return hits_frame([Hit(ts=FIRST_BAR, session=view.start, values={}, votes=[])])


def test_failure_is_about_the_rule_and_all_it_should_have_judged() -> None:
    judgement = judge_series(VIEW, [replace(RULE, judge=fail)])
    (row,) = judgement.findings.to_dicts()
    assert row["rule"] == "rule_works_session_has_its_bar"
    assert (row["check"], row["severity"], row["verdict"], row["term"]) == (8, "minor", "suspected", "none")
    assert (row["ts"], row["session"], row["last_session"]) == (FIRST_BAR, VIEW.start, VIEW.end - timedelta(days=1))
    assert json.loads(row["evidence"]) == {"rule_raised": "ValueError", "error": "out of order"}
    assert judgement.failed == ("session_has_its_bar",)


def test_failure_lies_beside_a_finding_of_the_same_instant() -> None:
    found = judge_series(VIEW, [replace(RULE, judge=find_first_day)]).findings
    failed = judge_series(VIEW, [replace(RULE, judge=fail)]).findings
    assert found["ts"].to_list() == failed["ts"].to_list()
    assert set(found["rule"]).isdisjoint(failed["rule"])


def test_that_a_rule_works_is_evaluated_with_every_rule() -> None:
    names = {"session_has_its_bar", "rule_works_session_has_its_bar"}
    for judge in (fail, find_first_day):
        assert set(judge_series(VIEW, [replace(RULE, judge=judge)]).rules) == names
    everything = judge_series(VIEW)
    assert everything.findings.is_empty()
    assert {name for name in everything.rules if not name.startswith(WORKS)} == {
        name.removeprefix(WORKS) for name in everything.rules if name.startswith(WORKS)
    }


def test_rule_of_a_venue_fails_by_its_name_too() -> None:
    view = clean_venue(Timeframe.D1)
    name, rule = next((name, rule) for name, rule in VENUE_RULES.items() if rule.applies_to(view))
    judgement = judge_venue(view, [replace(rule, judge=fail)])
    assert judgement.findings.select("instrument_id", "rule", "term").rows() == [(None, WORKS + name, "none")]
    assert set(judgement.rules) == {name, WORKS + name}
