"""The queue of studies: priority, memory, batches, lost runs."""

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest

from chandlery.errors import InvalidInput, NotFound
from chandlery.steps.study_jobs import (
    cancel_study,
    change_priority,
    claim_studies,
    keep_claims,
    list_study_jobs,
    requeue_lost_studies,
    resume_study,
    show_study_job,
    submit_batch,
    submit_study,
)
from chandlery.steps.study_memory import bytes_free, bytes_needed
from chandlery.steps.study_request import StudyRequest
from chandlery.steps.universe import sync_universe
from chandlery.store.jobs import Job, JobState, find_job
from chandlery.store.warehouse import Warehouse

Ask = Callable[..., list[tuple[Any, ...]]]
Tell = Callable[..., None]

PLAIN = StudyRequest(strategy="sma_cross", symbol="AAPL", trials=10)
MIB = 2**20


def submit(warehouse: Warehouse, priority: int = 5, **changes: Any) -> Job:
    from dataclasses import replace

    return submit_study(warehouse, replace(PLAIN, **changes), created_by="tester", priority=priority)


def claimed(warehouse: Warehouse, workers: int = 3, free: int | None = None) -> list[str]:
    return [item.job.job_id for item in claim_studies(warehouse, workers=workers, free=lambda: free)]


def test_higher_priority_comes_first_then_age(fresh: Warehouse) -> None:
    first, second, urgent = submit(fresh), submit(fresh, seed=2), submit(fresh, priority=9)
    assert claimed(fresh) == [urgent.job_id, first.job_id, second.job_id]


def test_no_more_are_claimed_than_there_are_workers(fresh: Warehouse) -> None:
    for seed in range(4):
        submit(fresh, seed=seed)
    assert len(claimed(fresh, workers=3)) == 3
    assert claimed(fresh, workers=3) == []
    assert len(claimed(fresh, workers=4)) == 1


def test_study_that_takes_more_memory_than_is_free_waits_and_says_so(fresh: Warehouse) -> None:
    large = submit(fresh, priority=9, trials=100_000)
    small = submit(fresh)
    needed = bytes_needed(StudyRequest.from_json(large.params))
    assert claimed(fresh, free=needed - 1) == []
    assert "waits for memory" in str(find_job(fresh, large.job_id).message)
    # The small one is behind it and does not overtake it.
    assert find_job(fresh, small.job_id).state is JobState.QUEUED
    # What goes to one is not free for the next.
    assert claimed(fresh, free=needed) == [large.job_id]


def test_memory_grows_with_budget_and_processes() -> None:
    from dataclasses import replace

    plain = bytes_needed(PLAIN)
    # 64 blocks of 4 moments of 8 bytes, kept at least once.
    assert bytes_needed(replace(PLAIN, trials=100_010)) - plain >= 100_000 * 64 * 4 * 8
    assert bytes_needed(replace(PLAIN, parts=4)) > 2 * plain
    assert (bytes_free() or MIB) >= MIB


def test_batch_is_one_study_per_strategy_and_symbol(fresh: Warehouse, source_of: Any) -> None:
    sync_universe(source_of({}, symbols=("AAPL", "GE", "IBM")), fresh, symbols=(), source_name="tape")
    parent, children = submit_batch(
        fresh, PLAIN, strategies=("rsi*", "sma_cross", "rsi_revert"), symbols=("all",), created_by="t", priority=4
    )
    asked = [(child.params["strategy"], child.params["symbol"]) for child in children]
    names = list(dict.fromkeys(name for name, _ in asked))
    assert {"rsi_revert", "rsi_mid", "sma_cross"} <= set(names)
    assert asked == [(name, symbol) for name in names for symbol in ("AAPL", "GE", "IBM")]
    assert {child.parent_id for child in children} == {parent.job_id}
    cancel_study(fresh, parent.job_id)
    assert {row["state"] for row in list_study_jobs(fresh)} == {"cancelled"}
    resume_study(fresh, parent.job_id)
    assert {row["state"] for row in list_study_jobs(fresh)} == {"queued"}


def test_batch_of_nothing_or_of_nonsense_queues_nothing(fresh: Warehouse) -> None:
    with pytest.raises(NotFound, match="fits 'xyz"):
        submit_batch(fresh, PLAIN, strategies=("xyz*",), symbols=("AAPL",), created_by="t", priority=4)
    with pytest.raises(InvalidInput, match="1 of 2 studies were refused"):
        submit_batch(fresh, PLAIN, strategies=("sma_cross",), symbols=("AAPL", "no symbol"), created_by="t", priority=4)
    assert list_study_jobs(fresh) == ()


def test_silent_job_is_queued_again_and_a_waiting_one_is_not(fresh: Warehouse, tell: Tell) -> None:
    lost, waiting = submit(fresh), submit(fresh, seed=2)
    assert len(claimed(fresh)) == 2
    tell(fresh, "update ops.jobs set heartbeat_at = now() - interval '61 s'")
    keep_claims(fresh, [waiting.job_id])
    assert [job.job_id for job in requeue_lost_studies(fresh)] == [lost.job_id]
    again = claim_studies(fresh, workers=3, free=lambda: None)
    assert [(item.job.job_id, item.job.attempt) for item in again] == [(lost.job_id, 2)]


def test_priority_of_a_waiting_job_can_change(fresh: Warehouse) -> None:
    first, second = submit(fresh), submit(fresh, seed=2)
    change_priority(fresh, second.job_id[-8:], priority=8)
    assert claimed(fresh) == [second.job_id, first.job_id]


def test_job_is_shown_with_what_happened_to_it(fresh: Warehouse) -> None:
    job = submit(fresh)
    claimed(fresh)
    told = show_study_job(fresh, job.job_id[-8:])
    assert [event["event"] for event in told["events"]] == ["submitted", "claimed"]
    assert (told["job"]["job_id"], told["study"], told["children"]) == (job.job_id, None, [])
    assert isinstance(told["job"]["created_at"].date(), date)
