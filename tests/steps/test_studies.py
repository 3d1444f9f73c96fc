"""Studies of jobs: stored with their evidence, cancelled between batches, resumed to the same table."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from chandlery.errors import (
    BadParameters,
    DatabaseDown,
    EmptySpace,
    InvalidInput,
    NotFound,
    StudyRunning,
    UnknownStrategy,
)
from chandlery.settings import Settings
from chandlery.steps import studies
from chandlery.steps.studies import run_requested_study
from chandlery.steps.study_jobs import resume_study, submit_study
from chandlery.steps.study_receipt import StudyReceipt
from chandlery.steps.study_request import StudyRequest, check_request, parse_range
from chandlery.store.jobs import Job, JobState, find_job
from chandlery.store.studies import finish_study
from chandlery.strategies import get_strategy

Ask = Callable[..., list[tuple[Any, ...]]]
Tell = Callable[..., None]

REQUEST = StudyRequest(strategy="rsi_revert", symbol="AAPL", trials=60, seed=3, fee_bps=5.0, method="tpe")
EVALUATED = (
    "select seq, number, params::text, score, equity, closed_trades, bar_sharpe, state from research.evaluations "
    "where study_id = %s order by seq"
)


class Bench:
    """A priced warehouse and a home; each `run` is a job of its own unless one is given."""

    def __init__(self, priced: Any, home: Path) -> None:
        self.warehouse = priced.warehouse
        self.settings = Settings.model_validate({"home": str(home)})

    def submit(self, request: StudyRequest = REQUEST) -> Job:
        return submit_study(self.warehouse, request, created_by="tester", priority=5)

    def run(
        self, request: StudyRequest = REQUEST, job: Job | None = None, run_id: str = "run-1", **choices: Any
    ) -> StudyReceipt:
        job = job or self.submit(request)
        return run_requested_study(self.warehouse, self.settings, request, job=job, run_id=run_id, **choices)

    def job(self, job: Job) -> Job:
        return find_job(self.warehouse, job.job_id)


@pytest.fixture(scope="module")
def bench(priced: Any, tmp_path_factory: pytest.TempPathFactory) -> Bench:
    return Bench(priced, tmp_path_factory.mktemp("home"))


@pytest.fixture(scope="module")
def finished(bench: Bench) -> tuple[Job, StudyReceipt]:
    job = bench.submit()
    return job, bench.run(job=job)


def interrupted_after(batches: int) -> Callable[[], bool]:
    asked = iter(range(10_000))
    return lambda: next(asked) >= batches


def test_study_row_says_what_was_asked_of_what_and_by_which_code(
    priced: Any, finished: tuple[Job, StudyReceipt], ask: Ask
) -> None:
    receipt = finished[1]
    columns = "strategy, timeframe, method, budget, trials, seed, source, run_id, bars, first_ts, last_ts"
    frame = priced.frames["AAPL"]
    query = f"select {columns}, best_params, finished_at is not null from research.studies where study_id = %s"
    assert ask(priced.warehouse, query, receipt.study_id) == [
        (
            *("rsi_revert", "1d", "tpe", 60, 60, 3, "wiki", "run-1", frame.height, frame["ts"][0], frame["ts"][-1]),
            dict(receipt.best),
            True,
        )
    ]
    query = (
        "select panel_id, definition_hash, code_version, evidence->>'verdict' from research.studies where study_id = %s"
    )
    marks = ask(priced.warehouse, query, receipt.study_id)[0]
    assert all(marks)
    assert (receipt.is_finished, receipt.was_stored, receipt.verdict) == (True, False, marks[3])


def test_job_tells_that_it_succeeded_and_which_study_it_made(bench: Bench, finished: tuple[Job, StudyReceipt]) -> None:
    job = bench.job(finished[0])
    assert (job.state, job.study_id, job.run_id) == (JobState.SUCCEEDED, finished[1].study_id, "run-1")
    assert (job.done, job.total, job.message) == (60, 60, finished[1].verdict)


def test_benchmark_is_the_price_bought_on_the_second_bar_and_held(
    priced: Any, finished: tuple[Job, StudyReceipt], ask: Ask
) -> None:
    query = "select ts, equity, benchmark from research.equity where study_id = %s order by ts"
    rows = ask(priced.warehouse, query, finished[1].study_id)
    bars = priced.frames["AAPL"]
    assert [ts for ts, _, _ in rows] == bars["ts"].to_list()
    assert (rows[0][1], rows[0][2]) == (1.0, 1.0)
    # Bought at the next bar's open for all the cash; the fee of 5 bps is paid on top of the price.
    shares = 1.0 / (bars["open"][1] * 1.0005)
    assert rows[-1][2] == pytest.approx(shares * bars["close"][-1], rel=1e-9)


def test_trades_are_told_with_their_net_return(priced: Any, finished: tuple[Job, StudyReceipt], ask: Ask) -> None:
    study = finished[1].study_id
    columns = "entry_ts, exit_ts, entry_price, exit_price, net_return"
    trades = ask(priced.warehouse, f"select {columns} from research.trades where study_id = %s order by seq", study)
    metrics = ask(priced.warehouse, "select metrics from research.studies where study_id = %s", study)[0][0]
    assert len([trade for trade in trades if trade[1] is not None]) == metrics["closed_trades"]
    opens = dict(priced.frames["AAPL"].select("ts", "open").iter_rows())
    for entered, left, bought, sold, earned in trades:
        assert bought == opens[entered]
        if left is not None:
            assert sold == opens[left]
            # 5 bps of the value on the way in and on the way out.
            assert earned == pytest.approx(sold * 0.9995 / (bought * 1.0005) - 1.0, rel=1e-9, abs=1e-12)


def test_finished_study_answers_at_once_and_evaluates_nothing(
    bench: Bench, finished: tuple[Job, StudyReceipt], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(studies, "run_search", lambda *_, **__: pytest.fail("searched again"))
    again = bench.submit()
    receipt = bench.run(job=again, run_id="run-2")
    assert receipt == replace(finished[1], was_stored=True)
    assert bench.job(again).state is JobState.SUCCEEDED


def test_study_asked_again_on_purpose_is_evaluated_to_the_same_table(
    bench: Bench, finished: tuple[Job, StudyReceipt], ask: Ask
) -> None:
    before = ask(bench.warehouse, EVALUATED, finished[1].study_id)
    assert len(before) == 60
    receipt = bench.run(run_id="run-1", is_asked_again=True)
    assert receipt == finished[1]
    assert ask(bench.warehouse, EVALUATED, receipt.study_id) == before


def test_cancelled_study_keeps_its_batches_and_resumes_to_the_table_of_an_uninterrupted_one(
    bench: Bench, finished: tuple[Job, StudyReceipt], ask: Ask
) -> None:
    whole = ask(bench.warehouse, EVALUATED, finished[1].study_id)
    job = bench.submit()
    receipt = bench.run(job=job, is_asked_again=True, cancelled=interrupted_after(2))
    kept = ask(bench.warehouse, EVALUATED, receipt.study_id)
    assert not receipt.is_finished
    assert 0 < len(kept) < 60
    assert kept == whole[: len(kept)]
    assert bench.job(job).state is JobState.CANCELLED
    assert resume_study(bench.warehouse, job.job_id[-8:]).state is JobState.QUEUED
    assert bench.run(job=job).is_finished
    assert ask(bench.warehouse, EVALUATED, receipt.study_id) == whole


def test_study_that_broke_before_its_answer_resumes_to_the_same_answer(
    bench: Bench, finished: tuple[Job, StudyReceipt], ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = ask(bench.warehouse, EVALUATED, finished[1].study_id)

    def broken(*_: object, **__: object) -> None:
        raise DatabaseDown("gone")

    job = bench.submit()
    monkeypatch.setattr(studies, "finish_study", broken)
    with pytest.raises(DatabaseDown):
        bench.run(job=job, is_asked_again=True)
    assert (bench.job(job).state, bench.job(job).message) == (JobState.FAILED, "DatabaseDown: gone")
    monkeypatch.setattr(studies, "finish_study", finish_study)
    resume_study(bench.warehouse, job.job_id)
    assert bench.run(job=job).verdict == finished[1].verdict
    assert ask(bench.warehouse, EVALUATED, finished[1].study_id) == whole


def test_study_on_which_a_live_run_works_is_left_to_it(
    bench: Bench, finished: tuple[Job, StudyReceipt], tell: Tell
) -> None:
    first, second = bench.submit(), bench.submit()
    tell(
        bench.warehouse,
        "update ops.jobs set state = 'running', run_id = 'other', started_at = now() - interval '5 s', "
        f"heartbeat_at = now(), study_id = '{finished[1].study_id}' where job_id = '{first.job_id}'",
    )
    with pytest.raises(StudyRunning, match=first.job_id[-8:]):
        bench.run(job=second)
    # Silent for longer than a minute it is lost, and the study is free.
    tell(
        bench.warehouse,
        f"update ops.jobs set heartbeat_at = now() - interval '61 s' where job_id = '{first.job_id}'",
    )
    assert bench.run(job=bench.submit()).is_finished
    tell(bench.warehouse, f"delete from ops.jobs where job_id = '{first.job_id}'")


def test_cancellation_asked_of_the_job_stops_the_search(bench: Bench, tell: Tell) -> None:
    request = replace(REQUEST, seed=4)
    job = bench.submit(request)

    def report(_: object) -> None:
        tell(bench.warehouse, f"update ops.jobs set cancel_requested = true where job_id = '{job.job_id}'")

    def cancelled() -> bool:
        # The job is read once a second; nothing else may end the search.
        import time

        time.sleep(0.6)
        return False

    assert not bench.run(request, job=job, progress=report, cancelled=cancelled).is_finished
    assert bench.job(job).state is JobState.CANCELLED


def test_other_costs_are_another_study(bench: Bench, finished: tuple[Job, StudyReceipt]) -> None:
    other = bench.run(replace(REQUEST, fee_bps=6.0, trials=2))
    assert other.study_id != finished[1].study_id


def test_unknown_strategy_is_answered_with_near_ones() -> None:
    with pytest.raises(UnknownStrategy, match="near matches are rsi_revert"):
        check_request(replace(REQUEST, strategy="rsi_reverts"))


def test_symbol_that_is_not_tracked_is_not_found_and_fails_the_job(bench: Bench) -> None:
    job = bench.submit(replace(REQUEST, symbol="TSLA"))
    with pytest.raises(NotFound, match="TSLA is not tracked"):
        bench.run(replace(REQUEST, symbol="TSLA"), job=job)
    assert bench.job(job).state is JobState.FAILED


def test_request_lists_one_fault_a_field() -> None:
    wrong = replace(
        REQUEST, symbol="no symbol", timeframe="7m", trials=0, method="guess", objectives=("luck",), fee_bps=-1.0
    )
    with pytest.raises(InvalidInput) as caught:
        check_request(wrong)
    lines = str(caught.value).splitlines()[1:]
    named = [line.strip().partition(":")[0] for line in lines]
    assert sorted(named) == ["execution", "method", "objectives", "symbol", "timeframe", "trials"]


def test_range_of_another_parameter_or_outside_is_refused() -> None:
    with pytest.raises(BadParameters) as caught:
        check_request(replace(REQUEST, ranges={"speed": (1, 2, 1), "length": (2, 10_000, 1)}))
    assert {"range speed", "range length"} == {
        line.strip().partition(":")[0] for line in str(caught.value).splitlines()[1:]
    }


def test_range_without_a_point_is_an_empty_space() -> None:
    slow = get_strategy("sma_cross").params["slow"]
    narrow = {"fast": (float(slow.lo), float(slow.lo), 1.0), "slow": (float(slow.lo), float(slow.lo), 1.0)}
    with pytest.raises(EmptySpace):
        check_request(replace(REQUEST, strategy="sma_cross", ranges=narrow))


@pytest.mark.parametrize(
    ("text", "found"),
    [("fast=5:50:5", ("fast", (5, 50, 5))), ("fast=5:50", ("fast", (5, 50, 1))), ("fast=7", ("fast", (7, 7, 1)))],
)
def test_range_is_written_as_bounds_and_step(text: str, found: object) -> None:
    assert parse_range(text) == found


@pytest.mark.parametrize("text", ["fast", "fast=", "=1:2:3", "fast=1:2:3:4", "fast=a:b"])
def test_range_of_another_form_is_refused(text: str) -> None:
    with pytest.raises(BadParameters, match="write name=lo:hi:step"):
        parse_range(text)


def test_request_survives_the_job_row(bench: Bench) -> None:
    asked = replace(REQUEST, ranges={"length": (5.0, 20.0, 5.0)}, objectives=("bar_sharpe", "equity"))
    assert StudyRequest.from_json(bench.submit(asked).params) == asked


def test_job_row_with_unknown_or_missing_fields_is_refused() -> None:
    with pytest.raises(InvalidInput, match="colour"):
        StudyRequest.from_json({"strategy": "rsi_revert", "symbol": "AAPL", "colour": "red"})
    with pytest.raises(InvalidInput, match="without symbol"):
        StudyRequest.from_json({"strategy": "rsi_revert"})
