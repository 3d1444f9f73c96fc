"""Proposals from a finding and its view: which method, which bars, which values."""

import json
from dataclasses import replace
from datetime import datetime, timedelta

import polars as pl
import pytest
import series_views

from chandlery.market.timeframes import Timeframe
from chandlery.quality.judge import judge_series
from chandlery.quality.repairs.ladder import propose
from chandlery.quality.repairs.proposal import Method
from chandlery.quality.series.registry import SERIES_RULES
from chandlery.quality.series.view import SeriesView

VIEW = series_views.clean_view(Timeframe.D1)
TS = series_views.ts_of(VIEW, 7)
RIGHT = VIEW.bars.filter(pl.col("ts") == TS)
MINUTES = VIEW.sessions.select("session", bars=(pl.col("close") - pl.col("open")).dt.total_minutes())
WHOLE = series_views.by_session(VIEW).drop("bars").join(MINUTES, on="session", maintain_order="left")


def finding(check: int, ts: datetime = TS, *, verdict: str = "confirmed", **facts: object) -> dict[str, object]:
    return {
        "ts": ts,
        "ts_end": None,
        "session": ts.date(),
        "check": check,
        "verdict": verdict,
        "evidence": json.dumps(facts),
    }


def low(view: SeriesView = VIEW, share: float = 0.7) -> SeriesView:
    return series_views.with_put(view, TS, low=RIGHT["low"][0] * share)


def test_bad_low_of_a_day_is_the_low_of_its_minutes() -> None:
    view = replace(low(), other=WHOLE)
    proposal = propose(view, finding(9, field="low"))
    assert proposal is not None
    assert (proposal.method, proposal.is_exact) == (Method.FINER, False)
    assert proposal.before.equals(view.bars.filter(pl.col("ts") == TS))
    assert proposal.after.equals(RIGHT)


def test_minutes_that_are_not_whole_mend_nothing() -> None:
    short = WHOLE.with_columns(bars=pl.when(pl.col("session") == TS.date()).then(200).otherwise("bars"))
    assert propose(replace(low(), other=short), finding(9, field="low")) is None


def test_session_as_full_as_its_neighbours_is_whole_for_a_share_that_seldom_trades() -> None:
    thin = WHOLE.with_columns(bars=pl.lit(150, dtype=pl.Int64))
    assert propose(replace(low(), other=thin), finding(9, field="low")) is not None


def test_other_source_is_asked_after_the_minutes() -> None:
    proposal = propose(replace(low(), witnesses={"vendor": WHOLE}), finding(9, field="low"))
    assert proposal is not None
    assert (proposal.method, proposal.evidence["source"]) == (Method.OTHER_SOURCE, "vendor")
    both = propose(replace(low(), other=WHOLE, witnesses={"vendor": WHOLE}), finding(9, field="low"))
    assert both is not None
    assert both.method is Method.FINER


def test_source_on_another_share_basis_is_not_mixed_in() -> None:
    halved = WHOLE.with_columns(pl.col("open", "high", "low", "close") / 4)
    assert propose(replace(low(), witnesses={"vendor": halved}), finding(9, field="low")) is None


def test_official_close_that_differs_little_from_the_last_minute_is_kept() -> None:
    near = WHOLE.with_columns(pl.col("close") * 1.0005)
    proposal = propose(replace(low(), other=near), finding(18))
    assert proposal is not None
    assert proposal.after["close"].to_list() == RIGHT["close"].to_list()
    assert proposal.evidence["fields"] == ["low"]


def test_mended_bar_covers_its_body() -> None:
    # The minutes begin above the official open: their low alone would leave the open outside.
    higher = WHOLE.with_columns(low=pl.col("open") * 1.0004)
    proposal = propose(replace(low(), other=higher), finding(9, field="low"))
    assert proposal is not None
    row = proposal.after.row(0, named=True)
    assert row["low"] <= min(row["open"], row["close"])


def test_bar_that_is_held_comes_anew_from_its_minutes() -> None:
    view = replace(series_views.without(VIEW, pl.col("ts") == TS), other=WHOLE, held=(TS,))
    proposal = propose(view, finding(2))
    assert proposal is not None
    assert proposal.before.is_empty()
    assert proposal.after["close"].to_list() == RIGHT["close"].to_list()
    assert proposal.evidence["comes_anew"] is True


def test_block_in_another_unit_is_divided_whole() -> None:
    last = series_views.ts_of(VIEW, 9)
    place = pl.col("ts").is_between(TS, last)
    view = series_views.with_scaled(VIEW, place, price=100)
    (row,) = judge_series(view, [SERIES_RULES["prices_keep_their_unit"]]).findings.to_dicts()
    proposal = propose(view, row)
    assert proposal is not None
    assert proposal.is_exact
    assert proposal.after["ts"].to_list() == VIEW.bars.filter(place)["ts"].to_list()
    assert proposal.after["close"].to_list() == pytest.approx(VIEW.bars.filter(place)["close"].to_list(), rel=1e-15)
    assert proposal.after["volume"].equals(VIEW.bars.filter(place)["volume"])


def test_one_price_in_another_unit_is_divided_alone() -> None:
    view = series_views.with_put(VIEW, TS, high=RIGHT["high"][0] * 100)
    (row,) = judge_series(view, [SERIES_RULES["prices_keep_their_unit"]]).findings.to_dicts()
    proposal = propose(view, row)
    assert proposal is not None
    assert proposal.is_exact
    assert proposal.after["high"].to_list() == pytest.approx(RIGHT["high"].to_list(), rel=1e-15)
    assert proposal.after.drop("high").equals(RIGHT.drop("high"))


def test_unit_that_is_right_by_count_alone_needs_a_person() -> None:
    # Half in pounds, half in pence, and nothing to tell which: the majority is no proof.
    view = series_views.with_scaled(VIEW, pl.col("ts") < VIEW.bars["ts"][36], price=0.01)
    view = series_views.with_scaled(view, pl.col("ts") == VIEW.bars["ts"][70], price=0.01)
    rows = judge_series(replace(view, start=VIEW.bars["ts"][0].date()), [SERIES_RULES["prices_keep_their_unit"]])
    found = [propose(view, row) for row in rows.findings.to_dicts()]
    assert len(found) == 2
    assert all(proposal is not None and not proposal.is_exact for proposal in found)


def test_span_of_a_wrong_basis_that_begins_before_the_view_needs_a_person() -> None:
    row = finding(23, VIEW.bars["ts"][0], split_from=1, split_to=4, power=1, open_start=True)
    row["ts_end"] = TS
    proposal = propose(replace(VIEW, listed_on=None), row)
    assert proposal is not None
    assert not proposal.is_exact
    known = propose(VIEW, row)  # listed on the first session of the view
    assert known is not None
    assert known.is_exact
    # 4:1 undone: a quarter of the price, four times the volume.
    first, mended = VIEW.bars.row(0, named=True), known.after.row(0, named=True)
    assert mended["close"] == pytest.approx(first["close"] / 4, rel=1e-15)
    assert mended["volume"] == first["volume"] * 4


@pytest.mark.parametrize("verdict", ["true_move", "explained"])
def test_nothing_is_proposed_for_what_is_no_defect(verdict: str) -> None:
    assert propose(replace(low(), other=WHOLE), finding(9, verdict=verdict, field="low")) is None


@pytest.mark.parametrize("check", [10, 11, 13, 20, 99])
def test_nothing_is_proposed_where_no_method_knows(check: int) -> None:
    assert propose(replace(low(), other=WHOLE), finding(check)) is None


@pytest.mark.parametrize("facts", [{}, {"factor": 0, "fields": "open"}, {"factor": 100, "fields": "volume"}])
def test_unit_finding_without_usable_evidence_is_left_alone(facts: dict[str, object]) -> None:
    assert propose(VIEW, finding(12, **facts)) is None


def test_minutes_have_no_finer_bars_and_no_source() -> None:
    view = series_views.clean_view(Timeframe.M1, lookback=20, judged=5)
    ts = series_views.ts_of(view, 2, 100)
    days = series_views.by_session(view)
    assert propose(replace(view, other=days, witnesses={"vendor": days}), finding(9, ts, field="high")) is None


def test_proposal_for_a_bar_that_is_gone_is_none() -> None:
    row = finding(12, TS + timedelta(hours=1), factor=100.0, fields="open,high,low,close", decided_by="currency")
    assert propose(VIEW, row) is None
