"""Plans: budget, horizon, delay, and the three shapes of a refusal, on a clock of the test's own."""

import json
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import polars as pl
import pytest

from chandlery.sources.standin import PLANS, Answered, Plan, Received, Refusal, ask, create_app
from chandlery.sources.tapes import Tape

KEY = {"Authorization": "Bearer any"}
MINUTES = "/v2/aggs/ticker/AAPL/range/1/minute"
DAYS = "/v2/aggs/ticker/BA/range/1/day"


class Clock:
    """A clock that only the test moves."""

    def __init__(self, now: datetime) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now


def _at(text: str) -> Clock:
    return Clock(datetime.fromisoformat(text))


def _body(answer: Answered) -> Any:
    return json.loads(answer.content)


def test_sixth_call_in_any_sixty_seconds_is_429_in_the_recorded_shape(recorded: Tape, data: Path) -> None:
    clock = _at("2016-05-14T12:00:00+00:00")
    app = create_app(recorded, plan=PLANS["basic"], now=clock)
    for _ in range(5):
        assert ask(app, "/v3/reference/splits", headers=KEY).status == 200
    refused = ask(app, "/v3/reference/splits", headers=KEY)
    seen = json.loads((data / "polygon/errors/429_rate.json").read_text(encoding="utf-8"))
    assert refused.status == seen["http_status"]
    assert set(_body(refused)) == set(seen["body"])
    clock.now += timedelta(seconds=60)
    assert ask(app, "/v3/reference/splits", headers=KEY).status == 200


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_budget_equals_a_count_by_hand_over_random_arrivals(recorded: Tape, seed: int) -> None:
    clock, random, journal = _at("2016-05-14T12:00:00+00:00"), Random(seed), list[Received]()
    app = create_app(recorded, plan=Plan("four", calls_per_minute=4), now=clock, journal=journal)
    for _ in range(200):
        clock.now += timedelta(seconds=random.choice([0, 5, 15, 20, 59, 60]), microseconds=random.choice([0, 1]))
        ask(app, "/v3/reference/tickers?limit=1", headers=KEY)
    arrivals = [received.at for received in journal]
    allowed = [sum(moment - timedelta(seconds=60) < earlier <= moment for earlier in arrivals[: place + 1]) <= 4
               for place, moment in enumerate(arrivals)]  # fmt: skip
    assert [received.status == 200 for received in journal] == allowed
    assert len(set(allowed)) == 2


def test_request_without_key_costs_no_call(recorded: Tape) -> None:
    app = create_app(recorded, plan=PLANS["basic"], now=_at("2016-05-14T12:00:00+00:00"))
    assert {ask(app, "/v3/reference/splits").status for _ in range(9)} == {401}
    assert ask(app, "/v3/reference/splits", headers=KEY).status == 200


@pytest.mark.parametrize(
    ("refusal", "recording"),
    [
        (Refusal.MESSAGE, "403_timeframe"),
        (Refusal.ERROR, "403_error_variant"),
        (Refusal.BODY, "200_not_authorized_body"),
    ],
)
def test_future_day_is_refused_in_each_recorded_shape(
    recorded: Tape, data: Path, refusal: Refusal, recording: str
) -> None:
    seen = json.loads((data / f"polygon/errors/{recording}.json").read_text(encoding="utf-8"))
    plan = replace(PLANS["basic"], refusal=refusal)
    app = create_app(recorded, plan=plan, now=_at("2016-05-14T12:00:00+00:00"))
    answer = ask(app, f"{MINUTES}/2016-05-13/2016-05-16", headers=KEY)
    assert answer.status == seen["http_status"]
    assert set(_body(answer)) == set(seen["body"])
    assert _body(answer)["status"] == seen["body"]["status"]


@pytest.mark.parametrize(
    ("now", "start", "end", "status"),
    [
        # A Saturday: Friday is closed, and the Saturday itself holds nothing that could be open.
        ("2016-05-14T12:00:00+00:00", "2016-05-13", "2016-05-14", 200),
        # Friday 15:59 New York: the session is open; one minute later it is not.
        ("2016-05-13T19:59:59+00:00", "2016-05-12", "2016-05-13", 403),
        ("2016-05-13T20:00:00+00:00", "2016-05-12", "2016-05-13", 200),
        # In New York it is still Friday.
        ("2016-05-14T03:00:00+00:00", "2016-05-13", "2016-05-14", 403),
        # Two years back is inside, one day more is not.
        ("2016-05-14T12:00:00+00:00", "2014-05-14", "2016-05-13", 200),
        ("2016-05-14T12:00:00+00:00", "2014-05-12", "2016-05-13", 403),
    ],
)
def test_basic_plan_covers_two_years_of_closed_sessions(
    recorded: Tape, now: str, start: str, end: str, status: int
) -> None:
    app = create_app(recorded, plan=PLANS["basic"], now=_at(now))
    assert ask(app, f"{MINUTES}/{start}/{end}", headers=KEY).status == status


@pytest.mark.parametrize("url", ["/v2/aggs/grouped/locale/us/market/stocks/1999-03-01", "/v1/open-close/BA/1999-03-01"])
def test_horizon_holds_for_single_days_too(recorded: Tape, url: str) -> None:
    clock = _at("2013-12-31T23:00:00+00:00")
    assert ask(create_app(recorded, plan=PLANS["basic"], now=clock), url, headers=KEY).status == 403
    assert ask(create_app(recorded, plan=PLANS["advanced"], now=clock), url, headers=KEY).status == 200


def test_reference_data_has_no_horizon(recorded: Tape) -> None:
    app = create_app(recorded, plan=PLANS["basic"], now=_at("2016-05-14T12:00:00+00:00"))
    body = _body(ask(app, "/v3/reference/splits?ticker=BA&order=asc", headers=KEY))
    assert body["results"][0]["execution_date"] < "1970"


def test_delayed_plan_says_so_and_withholds_the_last_fifteen_minutes(recorded: Tape) -> None:
    # 10:00 New York: the last whole minute before 09:45 is that of 09:44.
    clock = _at("2016-05-13T14:00:30+00:00")
    url = f"{MINUTES}/2016-05-13/2016-05-13"
    apps = {name: create_app(recorded, plan=PLANS[name], now=clock) for name in ("starter", "advanced")}
    bodies = {name: _body(ask(app, url, headers=KEY)) for name, app in apps.items()}
    last = {name: datetime.fromtimestamp(body["results"][-1]["t"] / 1000, UTC) for name, body in bodies.items()}
    assert (bodies["starter"]["status"], bodies["advanced"]["status"]) == ("DELAYED", "OK")
    assert last == {
        "starter": datetime(2016, 5, 13, 13, 44, tzinfo=UTC),
        "advanced": datetime(2016, 5, 13, 13, 59, tzinfo=UTC),
    }


@pytest.mark.parametrize(("now", "last"), [("2013-12-30T20:59:00+00:00", 27), ("2013-12-30T21:00:00+00:00", 30)])
def test_day_bar_appears_when_its_session_is_closed(recorded: Tape, now: str, last: int) -> None:
    app = create_app(recorded, plan=PLANS["advanced"], now=_at(now))
    body = _body(ask(app, f"{DAYS}/2013-12-20/2013-12-30", headers=KEY))
    # A day bar lies at 05:00 UTC, midnight in New York.
    assert datetime.fromtimestamp(body["results"][-1]["t"] / 1000, UTC) == datetime(2013, 12, last, 5, tzinfo=UTC)


def test_crypto_day_closes_at_midnight_utc(recorded: Tape) -> None:
    app = create_app(recorded, plan=PLANS["basic"], now=_at("2016-04-19T12:00:00+00:00"))
    path = "/v2/aggs/ticker/X:BTCUSD/range/1/minute"
    assert ask(app, f"{path}/2016-04-18/2016-04-18", headers=KEY).status == 200
    assert ask(app, f"{path}/2016-04-18/2016-04-19", headers=KEY).status == 403


def test_without_a_plan_nothing_is_withheld_whatever_the_clock_says(recorded: Tape) -> None:
    app = create_app(recorded, now=_at("1990-01-01T00:00:00+00:00"))
    body = _body(ask(app, f"{DAYS}/2013-12-30/2013-12-31", headers=KEY))
    assert (body["status"], body["count"]) == ("OK", 2)


def test_csv_is_not_on_the_basic_plan(recorded: Tape) -> None:
    headers = {**KEY, "Accept": "text/csv"}
    now = _at("2016-05-14T12:00:00+00:00")
    assert (
        ask(create_app(recorded, plan=PLANS["basic"], now=now), "/v3/reference/splits", headers=headers).status == 403
    )
    assert (
        ask(create_app(recorded, plan=PLANS["starter"], now=now), "/v3/reference/splits", headers=headers).status == 200
    )


def test_two_hours_of_paced_calls_pass_in_process_without_one_refusal(tmp_path: Path) -> None:
    """567 calls at 5 a minute (63 symbols of 9) take 113 minutes and a little on the test's own clock."""
    (tmp_path / "us_daily").mkdir()
    day = {"symbol": "S", "session": date(2016, 5, 12), "open": 1.0, "high": 1.0, "low": 1.0, "close": 1.0}
    pl.DataFrame([{**day, "volume": 1.0}]).write_parquet(tmp_path / "us_daily/s.parquet")
    clock, journal = _at("2016-05-14T12:00:00+00:00"), list[Received]()
    started = clock.now
    app = create_app(Tape.open(tmp_path), plan=PLANS["basic"], now=clock, journal=journal)
    for number in range(567):
        if number >= 5:
            clock.now = max(clock.now, journal[number - 5].at + timedelta(seconds=60))
        ask(app, "/v2/aggs/ticker/S/range/1/day/2016-05-12/2016-05-13", headers=KEY)
    assert {received.status for received in journal} == {200}
    assert clock.now - started == timedelta(minutes=113)
