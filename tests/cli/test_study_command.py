"""`chandlery study`: run to an answer, queued for others, shown, cancelled, resumed."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from chandlery.market.calendar import sessions
from chandlery.market.symbols import AssetClass
from chandlery.store.universe import register_instrument

SHORT = ("--trials", "12", "--seed", "3", "--fee-bps", "5")


@dataclass
class Desk:
    """The command over a warehouse with two years of day prices of two stocks."""

    run: Callable[..., Any]
    variables: dict[str, object]
    warehouse: Any

    def __call__(self, *arguments: str, code: int = 0) -> Any:
        outcome = self.run("study", *arguments, **self.variables)
        assert outcome.code == code, outcome.err
        return outcome

    def told(self, *arguments: str, code: int = 0) -> Any:
        return json.loads(self(*arguments, "--format", "json", code=code).out)


@pytest.fixture(scope="module")
def priced(warehouse: Any) -> Any:
    days = sessions("NYSE", date(2022, 1, 3), date(2024, 1, 1))
    with warehouse.write() as connection:
        connection.exec_driver_sql(
            "create table marts.prices_daily (symbol text, session date, ts timestamptz, open float8, high float8, "
            "low float8, close float8, volume float8, source text)"
        )
        for seed, symbol in enumerate(("AAA", "BBB")):
            register_instrument(
                connection, symbol=symbol, asset_class=AssetClass.STOCKS, calendar="NYSE", name=None, source="made"
            )
            closes = 50.0 * np.exp(np.cumsum(np.random.default_rng(seed).normal(0.0005, 0.012, days.height)))
            rows = [
                (symbol, day, ts, close, close * 1.01, close * 0.99, close, 1000.0, "made")
                for day, ts, close in zip(days["session"], days["day_ts"], closes.tolist(), strict=True)
            ]
            statement = "insert into marts.prices_daily values (%s, %s, %s, %s, %s, %s, %s, %s, %s)"
            connection.exec_driver_sql(statement, rows)
    return warehouse


@pytest.fixture
def desk(run: Any, priced: Any, tmp_path: Path, tell: Any) -> Desk:
    tell(priced, "delete from ops.jobs", "delete from research.studies")
    place = priced.database
    return Desk(
        run,
        {
            "CHANDLERY_PROFILE": "server",
            "CHANDLERY_HOME": tmp_path,
            "CHANDLERY_DATABASE__HOST": place.host,
            "CHANDLERY_DATABASE__PORT": place.port,
            "CHANDLERY_DATABASE__NAME": place.name,
            "CHANDLERY_DATABASE__USER": place.user,
            "CHANDLERY_DATABASE__PASSWORD": place.password.get_secret_value(),
        },
        priced,
    )


def test_run_tells_best_luck_and_verdict_and_answers_a_second_time_from_the_warehouse(
    desk: Desk, tmp_path: Path
) -> None:
    plots = tmp_path / "plots"
    first = desk("run", "sma_cross", "AAA", *SHORT, "--plots", str(plots)).out
    assert "12 candidates" in first
    assert "best: fast " in first
    assert "deflated_sharpe" in first or "Nothing" in first
    drawn = sorted(path.name for path in plots.iterdir())
    assert {"sma_cross-AAA-equity.svg", "sma_cross-AAA-drawdown.svg"} <= set(drawn)
    assert all((plots / name).read_text().startswith("<svg") for name in drawn)
    again = desk("run", "sma_cross", "AAA", *SHORT).out
    assert again.replace(" (stored before)", "") == first
    assert "(stored before)" in again


def test_json_holds_job_study_evidence_and_choices(desk: Desk) -> None:
    told = desk.told("run", "rsi_revert", "AAA", *SHORT)
    assert (told["job"]["state"], told["job"]["done"], told["study"]["trials"]) == ("succeeded", 12, 12)
    assert told["study"]["question"]["seed"] == 3
    assert told["events"][0]["event"] == "submitted"
    assert {row["figure"] for row in told["evidence"]} <= set(told["study"]["evidence"])
    assert all(choice["params"] for choice in told["choices"])
    assert desk.told("show", told["job"]["job_id"][-8:])["study"] == told["study"]


def test_range_and_objectives_reach_the_question(desk: Desk) -> None:
    asked = ("--range", "length=5:9:2", "--range", "oversold=30", "--objective", "equity", "--objective", "max_dd")
    question = desk.told("run", "rsi_revert", "AAA", *SHORT, *asked)["study"]["question"]
    assert question["ranges"] == {"length": [5, 9, 2], "oversold": [30, 30, 1]}
    assert question["objectives"] == ["equity", "max_dd"]


def test_wrong_request_lists_its_faults_and_queues_nothing(desk: Desk) -> None:
    outcome = desk("run", "sma_cross", "no symbol", "--method", "guess", code=2)
    assert "symbol: " in outcome.err
    assert "method: was 'guess'" in outcome.err
    assert desk.told("list") == []


def test_detached_run_waits_and_can_be_cancelled_resumed_and_moved(desk: Desk) -> None:
    job = desk.told("run", "sma_cross", "AAA", *SHORT, "--detach", "--priority", "7")
    assert (job["state"], job["priority"]) == ("queued", 7)
    name = job["job"]
    assert "has priority 2" in desk("priority", name, "2").out
    assert "is cancelled" in desk("cancel", name).out
    assert [row["state"] for row in desk.told("list", "--state", "cancelled")] == ["cancelled"]
    assert "is queued" in desk("resume", name, "--detach").out
    assert desk.told("list")[0]["state"] == "queued"


def test_batch_queues_a_study_per_strategy_and_symbol(desk: Desk) -> None:
    desk("batch", "--strategies", "rsi_revert,sma_cross", "--symbols", "all", "--priority", "3", *SHORT)
    rows = desk.told("list")
    asked = {(row["strategy"], row["symbol"]) for row in rows if row["kind"] == "study"}
    assert asked == {(name, symbol) for name in ("rsi_revert", "sma_cross") for symbol in ("AAA", "BBB")}
    (parent,) = [row for row in rows if row["kind"] == "batch"]
    assert len(desk.told("show", parent["job"])["children"]) == 4


def test_unknown_job_is_not_found(desk: Desk) -> None:
    assert "no job has" in desk("show", "ffffffff", code=3).err


def test_failed_job_is_listed_with_its_reason(desk: Desk) -> None:
    desk("run", "sma_cross", "CCC", code=3)
    (row,) = desk.told("list", "--state", "failed")
    assert "CCC is not tracked" in row["message"]
