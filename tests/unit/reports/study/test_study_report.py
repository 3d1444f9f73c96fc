"""The document: its figures are those of its inputs, counted another way."""

import itertools
import json
import math
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import polars as pl
import pytest

from chandlery.errors import InvalidInput
from chandlery.reports.study import StudyInputs, build_study_report, to_json_bytes

Make = Callable[..., StudyInputs]


def figures(inputs: StudyInputs) -> dict[str, tuple[Any, Any]]:
    rows = build_study_report(inputs)["figures"]
    return {row["id"]: (row["strategy"], row["benchmark"]) for row in rows}


def test_key_figures_are_counted_from_the_curves(inputs_of: Make) -> None:
    inputs = inputs_of()
    found = figures(inputs)
    for place, name in enumerate(("equity", "benchmark")):
        values = inputs.curve[name].to_list()
        moves = [b / a - 1.0 for a, b in itertools.pairwise(values)]
        mean = math.fsum(moves) / len(moves)
        deviation = math.sqrt(math.fsum((move - mean) ** 2 for move in moves) / (len(moves) - 1))
        deepest = min(value / max(values[: i + 1]) - 1.0 for i, value in enumerate(values))
        assert found["cum"][place] == pytest.approx(values[-1] - 1.0, rel=1e-8)
        assert found["cagr"][place] == pytest.approx(values[-1] ** (252.0 / 999.0) - 1.0, rel=1e-8)
        assert found["sharpe"][place] == pytest.approx(mean / deviation * math.sqrt(252.0), rel=1e-8)
        assert found["dd_max"][place] == pytest.approx(deepest, rel=1e-8)
    assert found["exposure"] == (0.56, None)
    assert found["win_rate"][0] == pytest.approx(12 / 29)
    assert found["profit_factor"] == (2.25, None)


def test_curve_keeps_ends_and_extremes_of_a_long_series(inputs_of: Make) -> None:
    inputs = inputs_of()
    start = inputs.curve["ts"][0]
    long = pl.DataFrame(
        {
            "ts": [start + timedelta(minutes=i) for i in range(20_000)],
            "equity": [2.0 + math.sin(i / 900.0) + (3.0 if i == 7_777 else 0.0) for i in range(20_000)],
            "benchmark": [1.0] * 20_000,
        }
    )
    found = build_study_report(
        StudyInputs(
            facts=inputs.facts,
            evidence=inputs.evidence,
            definition=inputs.definition,
            curve=long,
            trades=inputs.trades,
            periods_per_year=252.0,
        )
    )["series"]
    assert (found["bars"], found["equity"][0], found["ts"][0]) == (20_000, 1.0, "2014-01-02T05:00:00Z")
    assert len(found["equity"]) == len(found["ts"]) == len(found["drawdown"]) < 4_100
    assert max(found["equity"]) == pytest.approx(long["equity"][7_777] / 2.0)
    assert found["equity"][-1] == pytest.approx(long["equity"][-1] / 2.0)


def test_spans_of_blocks_are_told_as_the_times_of_their_bars(inputs_of: Make) -> None:
    inputs = inputs_of()
    stamps = inputs.curve["ts"].to_list()
    blocks = [bar * 64 // len(stamps) for bar in range(len(stamps))]
    report = build_study_report(inputs)
    for told, scheme in zip(report["walk_forward"], inputs.evidence["walk_forward"], strict=True):
        for row, fold in zip(told["folds"], scheme["folds"], strict=True):
            inside = [stamps[i] for i, block in enumerate(blocks) if fold["test_first"] <= block < fold["test_end"]]
            assert (row["test_first"], row["test_last"]) == tuple(
                f"{stamp:%Y-%m-%dT%H:%M:%SZ}" for stamp in (inside[0], inside[-1])
            )


def test_tests_pass_and_fail_by_what_is_asked_of_them(inputs_of: Make) -> None:
    report = build_study_report(inputs_of(psr=0.9499, spa_consistent_p=0.0501, min_track_record=None))
    passed = {row["id"]: row["passed"] for row in report["tests"]}
    assert passed == {
        "psr": False,
        "deflated_sharpe": True,
        "deflated_sharpe_effective": True,
        "min_track_record": None,
        "pbo": False,
        "reality_check_p": True,
        "spa_consistent_p": False,
        "walk_forward_rolling": True,
        "walk_forward_anchored": True,
        "cpcv": True,
    }
    said = {row["id"]: row["reading"] for row in report["tests"]}
    assert "562 worthless attempts" in said["deflated_sharpe"]
    assert "12,870" in said["pbo"]


def test_many_trades_are_told_by_their_ends_and_total(inputs_of: Make) -> None:
    found = build_study_report(inputs_of(count=2_000))["trades"]
    assert (found["total"], found["closed"], len(found["first"]), len(found["last"])) == (2_000, 1_999, 14, 14)
    assert [row["seq"] for row in found["last"]] == list(range(1_986, 2_000))
    assert found["last"][-1]["exit_ts"] is None
    assert found["mean"] == pytest.approx(math.fsum(found["returns"]) / 1_999)


def test_equal_inputs_are_equal_documents_and_another_figure_is_another_id(inputs_of: Make) -> None:
    one, same, other = (build_study_report(inputs_of(**change)) for change in ({}, {}, {"pbo": 0.6171}))
    assert to_json_bytes(one) == to_json_bytes(same)
    assert json.loads(to_json_bytes(one)) == one
    assert one["report_id"] == same["report_id"] != other["report_id"]


def test_a_curve_that_is_empty_or_not_finite_is_refused(inputs_of: Make) -> None:
    inputs = inputs_of()
    rest = {name: getattr(inputs, name) for name in ("facts", "evidence", "definition", "trades", "periods_per_year")}
    with pytest.raises(InvalidInput, match="had no equity curve"):
        StudyInputs(curve=inputs.curve.clear(), **rest)
    with pytest.raises(InvalidInput, match="not finite"):
        StudyInputs(curve=inputs.curve.with_columns(equity=pl.lit(float("nan"))), **rest)
