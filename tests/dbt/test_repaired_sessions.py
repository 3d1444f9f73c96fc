"""A repair is an ingest like any other: the next run builds the session it touches, and no other."""

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

import polars as pl
import pytest

from chandlery.market.calendar import sessions
from chandlery.market.symbols import AssetClass, Instrument
from chandlery.market.timeframes import Timeframe
from chandlery.quality.repairs.proposal import Method, Proposal
from chandlery.quality.series.view import SeriesView
from chandlery.steps.repairs import Methods, approve_finding, propose_repairs, revert_repair
from chandlery.store.findings import StoredFinding
from chandlery.store.history import Series, bars_as_of

SELECT = ("--select", "marts", "serving", "--exclude", "resource_type:unit_test", "resource_type:test")
WINDOW = ("2016-04-01", "2016-06-01")
DAY, WEEK = date(2016, 4, 20), date(2016, 4, 18)
BAR = "instrument_id = 1 and ts = '2016-04-20 17:32+00'"
PRICES = ("open", "high", "low", "close")
INGEST = """
insert into ops.ingests (ingest_id, window_id, attempt, source, request_ids, payload_sha256, known_from)
overriding system value values ({}, 0, 1, 'tape', '{{}}', '', now())
"""
FINDING = """
insert into ops.findings
    (instrument_id, calendar, timeframe, ts, session, last_session, rule, "check", severity, verdict, term, evidence)
values (1, 'NYSE', '1m', '2016-04-20 17:32+00', '2016-04-20', '2016-04-20', 'by_hand', 12, 'major', 'confirmed',
    'plausibility', '{}')
"""


def scale(mart: Any, factor: float, ingest: int) -> None:
    """Bring the bar in as the source's, its prices times a factor."""
    values = ", ".join(f"{name} = {name} * {factor}" for name in PRICES)
    mart.do(INGEST.format(ingest), f"update raw.massive__bars_1m set {values}, ingest_id = {ingest} where {BAR}")
    mart.note_sessions("AAPL", DAY, DAY, ingest=ingest)


@pytest.fixture
def spoilt(mart: Any) -> Iterator[int]:
    """The number of a finding about a bar of 100x, which is in the candles; afterwards all is as before."""
    mart.do("select setval(pg_get_serial_sequence('ops.ingests', 'ingest_id'), 5000)")
    scale(mart, 100, 4000)
    mart.build(*SELECT, window=WINDOW)
    mart.do(FINDING)
    yield int(mart.rows("select finding_id from ops.findings where rule = 'by_hand'")[0][0])
    mart.restore()


def builds(mart: Any) -> dict[tuple[str, date], int]:
    rows = mart.rows("select model, session, build_id from marts.candle_builds where instrument_id = 1")
    return {(model, session): number for model, session, number in rows}


def minute_high(mart: Any) -> float:
    ((high,),) = mart.rows("select max(high) from marts.candles_5m where instrument_id = 1 and session = %s", DAY)
    return float(high)


def a_hundredth(view: SeriesView, finding: Mapping[str, object]) -> Proposal:
    before = view.bars.filter(pl.col("ts") == finding["ts"])
    after = before.with_columns([(pl.col(name) / 100).alias(name) for name in PRICES])
    return Proposal(Method.ARITHMETIC, is_exact=True, before=before, after=after, evidence={"factor": 100})


def test_approved_repair_builds_its_session_and_no_other(mart: Any, spoilt: int) -> None:
    def view_of(finding: StoredFinding) -> SeriesView:
        hours = sessions("NYSE", DAY, date(2016, 4, 21))
        series = Series(1, Timeframe.M1, hours["open"][0], hours["close"][0])
        instrument = Instrument(finding.instrument_id or 0, "AAPL", AssetClass.STOCKS, "NYSE")
        bars = bars_as_of(mart.warehouse, series, None)
        return SeriesView(instrument, Timeframe.M1, DAY, date(2016, 4, 21), bars, hours, hours["session"])

    assert minute_high(mart) > 1000, "the bar stands in the candles as it came"
    (step,) = propose_repairs(None, mart.warehouse, findings=[spoilt], methods=Methods(view_of, a_hundredth)).steps
    assert (step.outcome, step.repair_id is not None) == ("proposed", True)
    mart.build(*SELECT, window=WINDOW)
    assert minute_high(mart) > 1000, "a proposal changes nothing"
    before = builds(mart)

    approve_finding(mart.warehouse, spoilt, actor="ann")
    mart.build(*SELECT, window=WINDOW)
    after = builds(mart)
    assert {session for key, session in after if after[key, session] != before.get((key, session))} <= {DAY, WEEK}
    assert ("candles_5m", DAY) in {key for key in after if after[key] != before.get(key)}
    assert minute_high(mart) < 200

    revert_repair(mart.warehouse, step.repair_id or 0, actor="ann")
    mart.build(*SELECT, window=WINDOW)
    assert minute_high(mart) > 1000
