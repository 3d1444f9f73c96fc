"""The published repair cases: found, proposed as in their fixed files, and the clean ones left alone."""

from collections.abc import Iterator
from dataclasses import replace

import polars as pl
import pytest
from repair_cases import RepairCase, repair_case

from chandlery.quality.judge import judge_series
from chandlery.quality.repairs.ladder import propose
from chandlery.quality.repairs.proposal import Method, Proposal
from chandlery.quality.series.registry import SERIES_FAMILIES, SERIES_RULES

PRICES = ("open", "high", "low", "close")
OURS = ("spikes", "wicks", "jumps", "splits", "units", "bases")
RULES = tuple(rule for name, rule in SERIES_RULES.items() if SERIES_FAMILIES[name] in OURS)
BROKEN = {
    # case: the rule that finds it, its verdict, the rows that change
    "AET-L-1d-100x-error": ("prices_keep_their_unit", "confirmed", 14),
    "4063-T-1d-bad-stock-split": ("series_has_one_share_basis", "confirmed", 9),
    "DEX-AX-1d-bad-stock-split": ("series_has_one_share_basis", "confirmed", 15),
    "MOB-ST-1d-bad-stock-split": ("series_has_one_share_basis", "confirmed", 1),
    # The step of that week is also the special dividend it records: the evidence contradicts itself.
    "AV-L-1wk-bad-stock-split": ("series_has_one_share_basis", "suspected", 1),
}
CLEAN = ("CALM-1d-no-bad-divs", "EWG-1d-no-bad-divs", "IBE-MC-1d-no-bad-divs", "TISG-MI-1d-no-bad-divs")


def proposals(case: RepairCase) -> Iterator[Proposal]:
    for finding in judge_series(case.view, RULES).findings.to_dicts():
        proposal = propose(case.view, finding)
        if proposal is not None:
            yield proposal


def repaired(case: RepairCase) -> pl.DataFrame:
    bars = case.view.bars
    for proposal in proposals(case):
        bars = bars.update(proposal.after, on="ts")
    return bars.with_columns(session=case.view.session_date())


def off(mine: str, theirs: str) -> pl.Expr:
    return ((pl.col(mine) - pl.col(theirs)).abs() / pl.col(theirs)).fill_nan(0.0).max()


@pytest.mark.parametrize("name", BROKEN)
def test_defect_is_found_with_its_verdict_and_no_other_rule_costs(name: str) -> None:
    findings = judge_series(repair_case(name).view, RULES).findings
    costly = findings.filter(pl.col("verdict").is_in(["confirmed", "suspected"]))
    assert set(costly.select("rule", "verdict").rows()) == {BROKEN[name][:2]}


@pytest.mark.parametrize("name", BROKEN)
def test_proposals_reproduce_the_fixed_file(name: str) -> None:
    case = repair_case(name)
    both = repaired(case).join(case.fixed, on="session", how="inner", suffix="_fixed")
    assert both.height == case.view.bars.height == case.fixed.height
    # Upstream rounds the volume of MOB to a whole share (34,021.5 -> 34,022) and that of AV not (62,273,078.36).
    worst = both.select(off(column, f"{column}_fixed") for column in (*PRICES, "volume")).row(0)
    assert max(worst) < 1e-3


@pytest.mark.parametrize("name", BROKEN)
def test_only_the_broken_rows_change(name: str) -> None:
    case = repair_case(name)
    after = pl.concat([proposal.after for proposal in proposals(case)])
    before = pl.concat([proposal.before for proposal in proposals(case)])
    assert after.height == before.height == BROKEN[name][2]
    rows = case.view.bars.with_columns(session=case.view.session_date()).join(
        case.fixed, on="session", how="inner", suffix="_fixed"
    )
    differing = rows.filter((pl.col("close") / pl.col("close_fixed") - 1).abs() > 1e-3)
    assert sorted(after["ts"]) == sorted(differing["ts"])


def test_only_what_is_beyond_doubt_may_be_applied_without_a_person() -> None:
    exact = {name: {proposal.is_exact for proposal in proposals(repair_case(name))} for name in BROKEN}
    assert exact["AET-L-1d-100x-error"] == {True}
    assert exact["MOB-ST-1d-bad-stock-split"] == {True}
    assert exact["AV-L-1wk-bad-stock-split"] == {False}
    # What lies before the file would keep the old basis: half a repair moves the break, it does not mend it.
    assert exact["4063-T-1d-bad-stock-split"] == {False}
    assert exact["DEX-AX-1d-bad-stock-split"] == {False}


def test_methods_are_arithmetic() -> None:
    assert {proposal.method for name in BROKEN for proposal in proposals(repair_case(name))} == {Method.ARITHMETIC}


@pytest.mark.parametrize("name", CLEAN)
def test_clean_file_is_left_alone(name: str) -> None:
    case = repair_case(name)
    costly = judge_series(case.view, RULES).findings.filter(pl.col("verdict").is_in(["confirmed", "suspected"]))
    assert costly.is_empty()
    assert list(proposals(case)) == []


def test_without_the_currency_the_one_traded_day_tells_the_unit() -> None:
    # 14 of the 23 days are in pounds, but the only day with trades (2022-05-18) is in pence.
    case = repair_case("AET-L-1d-100x-error")
    blind = RepairCase(replace(case.view, instrument=replace(case.view.instrument, currency="GBP")), case.fixed)
    both = repaired(blind).join(case.fixed, on="session", how="inner", suffix="_fixed")
    assert both.select(off("close", "close_fixed")).item() < 1e-3
    assert {proposal.is_exact for proposal in proposals(blind)} == {False}
