"""What the stand-in knows better later: revised and withdrawn bars, late trades and splits, replaced files."""

import json
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from chandlery.market.timeframes import Timeframe
from chandlery.sources import Split
from chandlery.sources.standin import Holdings, Received, ask, create_app
from chandlery.sources.standin.faults import FAULTS, FaultScript, Planned
from chandlery.sources.tapes import Tape

KEY = {"Authorization": "Bearer any"}
SESSION = "/v2/aggs/ticker/AAPL/range/1/minute/2016-04-15/2016-04-15"
DAYS = "/v2/aggs/ticker/EBAY/range/1/day/1999-02-01/1999-04-01"
SPLITS = "/v3/reference/splits?ticker=EBAY"
FILE = "/flatfiles/us_stocks_sip/day_aggs_v1/1999/03/1999-03-01.csv.gz"

Get = Callable[[str], Any]


def _rows(app: Any, url: str) -> list[dict[str, Any]]:
    body = json.loads(ask(app, url, headers=KEY).content)
    rows: list[dict[str, Any]] = body.get("results", [])
    return rows


def _script(name: str, *, nth: int = 1, path: str = "*", at: datetime | None = None, **given: Any) -> FaultScript:
    return FaultScript(planned=(Planned(FAULTS[name].make(**given), nth=nth, path=path, at=at),))


def test_bar_is_revised_from_the_second_call_on(recorded: Tape) -> None:
    app = create_app(recorded, faults=_script("bar_revised", nth=2))
    first, second, third = (_rows(app, f"{SESSION}?adjusted=false") for _ in range(3))
    changed = [place for place, (before, after) in enumerate(zip(first, second, strict=True)) if before != after]
    assert changed == [195]
    assert second[195]["c"] == pytest.approx(first[195]["c"] * 1.001, abs=1e-4)
    assert second[195]["v"] == first[195]["v"] + 100
    assert second[195]["l"] <= second[195]["c"] <= second[195]["h"]
    assert third == second


def test_revised_bar_of_that_name_and_no_other_changes(recorded: Tape) -> None:
    opening = round(datetime(2016, 4, 15, 13, 30, tzinfo=UTC).timestamp() * 1000)
    script = _script("bar_revised", path="/v3/*", symbol="AAPL", t=opening, factor=1.5)
    app = create_app(recorded, faults=script)
    before = _rows(app, SESSION)
    _rows(app, SPLITS)
    after = _rows(app, SESSION)
    assert after[1:] == before[1:]
    assert after[0]["c"] == pytest.approx(before[0]["c"] * 1.5)
    assert after[0]["h"] == after[0]["c"]


def test_withdrawn_bar_is_gone_and_stays_gone(recorded: Tape) -> None:
    app = create_app(recorded, faults=_script("bar_withdrawn", nth=2))
    before, after, later = (_rows(app, SESSION) for _ in range(3))
    assert after == before[:195] + before[196:]
    assert later == after


def test_late_trade_adds_volume_and_leaves_the_prices(recorded: Tape) -> None:
    app = create_app(recorded, faults=_script("late_trade", nth=2, size=250.0))
    before, after = _rows(app, SESSION), _rows(app, SESSION)
    assert after[195]["v"] == before[195]["v"] + 250
    assert {key: after[195][key] for key in "ohlc"} == {key: before[195][key] for key in "ohlc"}


def test_change_waits_for_its_instant_of_the_clock(recorded: Tape) -> None:
    moment = datetime(2016, 5, 2, 12, tzinfo=UTC)
    times = iter([moment - timedelta(seconds=1), moment, moment])
    app = create_app(recorded, faults=_script("bar_withdrawn", at=moment), now=lambda: next(times))
    assert [len(_rows(app, SESSION)) for _ in range(3)] == [390, 389, 389]


def test_split_listed_later_changes_every_earlier_adjusted_answer_and_no_raw_one(recorded: Tape) -> None:
    script = _script("late_split", nth=3, symbol="EBAY", execution_date=date(1999, 3, 15), split_from=2, split_to=5)
    app = create_app(recorded, faults=script)
    raw, adjusted = _rows(app, f"{DAYS}?adjusted=false"), _rows(app, f"{DAYS}?adjusted=true")
    raw_later, adjusted_later = _rows(app, f"{DAYS}?adjusted=false"), _rows(app, f"{DAYS}?adjusted=true")
    assert raw_later == raw
    border = round(datetime(1999, 3, 15, 5, tzinfo=UTC).timestamp() * 1000)
    for before, after in zip(adjusted, adjusted_later, strict=True):
        factor = 2 / 5 if before["t"] < border else 1.0
        assert after["c"] == pytest.approx(before["c"] * factor, rel=1e-12)
        assert after["v"] == pytest.approx(before["v"] / factor, rel=1e-12)
    assert {row["execution_date"] for row in _rows(app, SPLITS)} >= {"1999-03-15", "1999-03-02"}


def test_doubled_split_is_listed_seven_days_before_the_true_one(recorded: Tape) -> None:
    app = create_app(recorded, faults=_script("duplicate_split", nth=2))
    before, after = _rows(app, SPLITS), _rows(app, SPLITS)
    (false_one,) = [row for row in after if row not in before]
    assert (before[0]["execution_date"], false_one["execution_date"]) == ("2005-02-17", "2005-02-10")
    assert (false_one["split_from"], false_one["split_to"]) == (before[0]["split_from"], before[0]["split_to"])


def test_split_may_be_listed_twice_on_one_day(recorded: Tape) -> None:
    app = create_app(recorded, faults=_script("duplicate_split", days_earlier=0))
    rows = _rows(app, SPLITS)
    assert rows[0] == rows[1]
    assert len(rows) == 5


def test_replaced_flat_file_has_another_tag_and_other_bytes(recorded: Tape) -> None:
    script = _script("flat_file_replaced", path="/flatfiles/*", nth=3)
    app = create_app(recorded, faults=script, flat_files=True)
    tags = [ask(app, FILE, headers=KEY, method="HEAD").headers["etag"] for _ in range(4)]
    assert tags[0] == tags[1] != tags[2] == tags[3]


@pytest.mark.parametrize("name", ["bar_revised", "duplicate_split", "flat_file_replaced"])
def test_change_that_finds_nothing_to_change_changes_nothing(recorded: Tape, name: str) -> None:
    journal: list[Received] = []
    app = create_app(recorded, faults=_script(name), journal=journal)
    assert ask(app, "/v3/reference/tickers", headers=KEY).status == 200
    assert [received.fault for received in journal] == [None]


def test_holdings_given_to_the_app_can_be_changed_from_outside(recorded: Tape) -> None:
    holdings = Holdings(recorded)
    app = create_app(holdings)
    before = _rows(app, SESSION)
    holdings.add_split(Split("AAPL", date(2016, 5, 2), split_from=1, split_to=4))
    after = _rows(app, SESSION)
    assert [row["c"] for row in after] == [row["c"] / 4 for row in before]
    holdings.replace("AAPL", Timeframe.M1, holdings.frame("AAPL", Timeframe.M1).clear())
    assert _rows(app, SESSION) == []
    assert len(_rows(create_app(recorded), SESSION)) == 390
