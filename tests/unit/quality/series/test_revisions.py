"""Bars that changed after they were published."""

import json

from series_cases.completeness import minutes_view
from series_cases.revisions import revised
from series_views import ts_of

from chandlery.quality.judge import judge_series
from chandlery.quality.series.registry import SERIES_RULES

RULE = SERIES_RULES["bar_keeps_its_values"]
VIEW = minutes_view()
TS = ts_of(VIEW, 4, 10)


def told(*rows: tuple[object, ...]) -> list[tuple[str, str]]:
    findings = judge_series(revised(VIEW, *rows), [RULE]).findings  # type: ignore[arg-type]
    return findings.select("severity", "verdict").rows()


def test_correction_of_more_than_a_basis_point_is_minor() -> None:
    assert told((TS, "vendor_correction", 100.02)) == [("minor", "confirmed")]


def test_correction_of_less_informs() -> None:
    assert told((TS, "vendor_correction", 100.005)) == [("info", "confirmed")]


def test_late_trades_other_bases_and_repairs_are_explained_however_large() -> None:
    for reason in ("late_trade", "split_rebasis", "repair"):
        assert told((TS, reason, 50.0)) == [("info", "explained")]


def test_withdrawn_bar_is_minor() -> None:
    assert told((TS, "withdrawn", None)) == [("minor", "confirmed")]


def test_no_revision_costs_anything() -> None:
    assert judge_series(revised(VIEW, (TS, "vendor_correction", 90.0)), [RULE]).findings["term"].to_list() == ["none"]


def test_one_finding_a_session_and_reason_with_its_bars_and_the_largest_change() -> None:
    rows = [(ts_of(VIEW, 4, minute), "vendor_correction", 100.0 + minute / 100) for minute in (10, 11, 12)]
    rows += [(ts_of(VIEW, 4, 13), "late_trade", 100.0), (ts_of(VIEW, 5, 0), "vendor_correction", 100.5)]
    hits = RULE.judge(revised(VIEW, *rows))
    facts = [json.loads(text) for text in hits["evidence"]]
    assert hits["ts"].to_list() == [ts_of(VIEW, 4, 10), ts_of(VIEW, 4, 13), ts_of(VIEW, 5, 0)]
    assert hits["ts_end"].to_list() == [ts_of(VIEW, 4, 13), None, None]
    assert [(item["bars"], item["close_bps"]) for item in facts] == [(3, 12.0), (1, 0.0), (1, 50.0)]


def test_last_of_several_versions_counts() -> None:
    (fact,) = [
        json.loads(text)
        for text in RULE.judge(revised(VIEW, (TS, "late_trade", 100.0), (TS, "late_trade", 100.5)))["evidence"]
    ]
    assert (fact["versions"], fact["bars"]) == (2, 1)
