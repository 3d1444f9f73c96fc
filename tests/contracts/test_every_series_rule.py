"""Conformance of the series rules: each passes clean series, and finds exactly what is broken in its own."""

import json
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import polars as pl
import pytest
import quality_cases
import series_views

from chandlery.market.symbols import AssetClass
from chandlery.market.timeframes import Timeframe
from chandlery.quality.checks import CHECKS
from chandlery.quality.judge import judge_series
from chandlery.quality.series.registry import SERIES_FAMILIES, SERIES_RULES
from chandlery.quality.series.rule import HIT_SCHEMA
from chandlery.quality.series.view import SeriesView

FOLDER = Path(series_views.__file__).parent / "series_cases"
CLEAN = [
    (Timeframe.D1, AssetClass.STOCKS, 60),
    (Timeframe.D1, AssetClass.CRYPTO, 60),
    (Timeframe.D1, AssetClass.INDICES, 60),
    (Timeframe.M1, AssetClass.STOCKS, 25),
    (Timeframe.M1, AssetClass.CRYPTO, 22),
    (Timeframe.M1, AssetClass.INDICES, 22),
]


def _cases() -> Iterator[tuple[str, quality_cases.BrokenSeries]]:
    for path in sorted(FOLDER.glob("*.py")):
        for name, cases in import_module(f"series_cases.{path.stem}").CASES.items():
            yield from ((name, case) for case in cases)


CASES = list(_cases())
PARAMETERS = [pytest.param(name, case, id=f"{name}-{place}") for place, (name, case) in enumerate(CASES)]


def _clean(timeframe: Timeframe, asset_class: AssetClass, lookback: int) -> SeriesView:
    return series_views.clean_view(timeframe, asset_class, lookback=lookback, judged=10)


@pytest.mark.parametrize("name", list(SERIES_RULES))
@pytest.mark.parametrize(("timeframe", "asset_class", "lookback"), CLEAN)
def test_clean_series_passes(name: str, timeframe: Timeframe, asset_class: AssetClass, lookback: int) -> None:
    view = _clean(timeframe, asset_class, lookback)
    if SERIES_RULES[name].applies_to(view):
        assert SERIES_RULES[name].judge(view).is_empty()


@pytest.mark.parametrize(("name", "case"), PARAMETERS)
def test_broken_series_is_found_where_it_is_broken(name: str, case: quality_cases.BrokenSeries) -> None:
    hits = SERIES_RULES[name].judge(case.view)
    inside = hits.filter((pl.col("session") < case.view.end) & (pl.col("last_session") >= case.view.start))
    assert tuple(inside["ts"].to_list()) == case.ts
    assert set(inside["verdict"]) <= {case.verdict.value}


@pytest.mark.parametrize(("name", "case"), PARAMETERS)
def test_hits_have_their_schema_and_json_evidence(name: str, case: quality_cases.BrokenSeries) -> None:
    hits = SERIES_RULES[name].judge(case.view)
    assert dict(hits.schema) == HIT_SCHEMA
    assert hits["ts"].is_sorted()
    assert hits["ts"].is_unique().all()
    assert all(isinstance(json.loads(text), dict) for text in hits["evidence"])
    assert hits.equals(SERIES_RULES[name].judge(case.view))


@pytest.mark.parametrize("name", list(SERIES_RULES))
@pytest.mark.parametrize("timeframe", [Timeframe.M1, Timeframe.D1])
def test_rule_never_raises_on_a_series_without_bars(name: str, timeframe: Timeframe) -> None:
    view = _clean(timeframe, AssetClass.STOCKS, 25)
    if SERIES_RULES[name].applies_to(view):
        assert name not in judge_series(series_views.with_bars(view, view.bars.clear()), [SERIES_RULES[name]]).failed


def test_every_series_rule_has_a_broken_series_of_its_own() -> None:
    assert {name for name, _ in CASES} == set(SERIES_RULES)


@pytest.mark.parametrize("name", list(SERIES_RULES))
def test_series_rule_is_a_documented_sentence_of_a_check(name: str) -> None:
    rule = SERIES_RULES[name]
    assert name == rule.name
    assert len(name.split("_")) >= 3
    assert rule.doc.endswith(".")
    assert rule.check in CHECKS
    assert SERIES_FAMILIES[name]
    for threshold in rule.thresholds:
        assert threshold.low <= threshold.default <= threshold.high
        assert threshold.doc.endswith(".")
