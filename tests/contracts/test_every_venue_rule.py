"""Conformance of the venue rules: each passes clean venues, and finds exactly what is broken in its own."""

import json
from collections.abc import Iterator
from dataclasses import replace
from importlib import import_module
from pathlib import Path

import polars as pl
import pytest
import quality_cases
import venue_views

from chandlery.market.timeframes import Timeframe
from chandlery.quality.checks import CHECKS
from chandlery.quality.judge import judge_venue
from chandlery.quality.venue.registry import VENUE_FAMILIES, VENUE_RULES
from chandlery.quality.venue.rule import VENUE_HIT_SCHEMA

FOLDER = Path(venue_views.__file__).parent / "venue_cases"
CLEAN = [(timeframe, calendar) for timeframe in (Timeframe.D1, Timeframe.M1) for calendar in ("NYSE", "24/7")]


def _cases() -> Iterator[tuple[str, quality_cases.BrokenVenue]]:
    for path in sorted(FOLDER.glob("*.py")):
        for name, cases in import_module(f"venue_cases.{path.stem}").CASES.items():
            yield from ((name, case) for case in cases)


CASES = list(_cases())
PARAMETERS = [pytest.param(name, case, id=f"{name}-{place}") for place, (name, case) in enumerate(CASES)]


@pytest.mark.parametrize("name", list(VENUE_RULES))
@pytest.mark.parametrize(("timeframe", "calendar"), CLEAN)
def test_clean_venue_passes(name: str, timeframe: Timeframe, calendar: str) -> None:
    view = venue_views.clean_venue(timeframe, calendar)
    if VENUE_RULES[name].applies_to(view):
        assert VENUE_RULES[name].judge(view).is_empty()


@pytest.mark.parametrize(("name", "case"), PARAMETERS)
def test_broken_venue_is_found_where_it_is_broken(name: str, case: quality_cases.BrokenVenue) -> None:
    hits = VENUE_RULES[name].judge(case.view)
    inside = hits.filter((pl.col("session") < case.view.end) & (pl.col("last_session") >= case.view.start))
    assert tuple(inside.select("instrument_id", "ts").iter_rows()) == case.hits
    assert set(inside["verdict"]) == {case.verdict.value}


@pytest.mark.parametrize(("name", "case"), PARAMETERS)
def test_hits_have_their_schema_and_json_evidence(name: str, case: quality_cases.BrokenVenue) -> None:
    hits = VENUE_RULES[name].judge(case.view)
    assert dict(hits.schema) == VENUE_HIT_SCHEMA
    assert hits["ts"].is_sorted()
    assert not hits.select("instrument_id", "ts").is_duplicated().any()
    assert all(isinstance(json.loads(text), dict) for text in hits["evidence"])
    assert hits.equals(VENUE_RULES[name].judge(case.view))


@pytest.mark.parametrize("name", list(VENUE_RULES))
@pytest.mark.parametrize("timeframe", [Timeframe.M1, Timeframe.D1])
@pytest.mark.parametrize("emptied", ["members", "counts", "missing", "all"])
def test_rule_never_raises_on_a_venue_without_rows(name: str, timeframe: Timeframe, emptied: str) -> None:
    view = venue_views.clean_venue(timeframe)
    frames = ("members", "counts", "missing") if emptied == "all" else (emptied,)
    bare = replace(view, **{frame: getattr(view, frame).clear() for frame in frames})
    if VENUE_RULES[name].applies_to(bare):
        assert judge_venue(bare, [VENUE_RULES[name]]).failed == ()


def test_every_venue_rule_has_a_broken_venue_of_its_own() -> None:
    assert {name for name, _ in CASES} == set(VENUE_RULES)


@pytest.mark.parametrize("name", list(VENUE_RULES))
def test_venue_rule_is_a_documented_sentence_of_a_check(name: str) -> None:
    rule = VENUE_RULES[name]
    assert name == rule.name
    assert len(name.split("_")) >= 3
    assert rule.doc.endswith(".")
    assert rule.check in CHECKS
    assert VENUE_FAMILIES[name]
    for threshold in rule.thresholds:
        assert threshold.low <= threshold.default <= threshold.high
        assert threshold.doc.endswith(".")
