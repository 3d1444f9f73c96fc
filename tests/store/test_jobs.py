"""Jobs: asked for once, claimed in order by one, in the hands of one run, with a parent that follows its children."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from itertools import pairwise
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text

from chandlery.errors import Fenced, InvalidInput, NotFound, StudyEnded, StudyRunning
from chandlery.store.job_events import prune_events, read_events
from chandlery.store.job_queue import (
    claim_jobs,
    finish_job,
    progress_job,
    reprioritise,
    request_cancel,
    requeue_lost,
    resume_job,
    start_job,
)
from chandlery.store.jobs import (
    Job,
    JobKind,
    JobRequest,
    JobState,
    find_job,
    list_jobs,
    position_in_queue,
    submit_job,
    submit_jobs,
)
from chandlery.store.warehouse import Warehouse

Tell = Callable[..., None]

SUCCEEDED, FAILED, CANCELLED = JobState.SUCCEEDED, JobState.FAILED, JobState.CANCELLED
MINUTE = timedelta(minutes=1)


@pytest.fixture
def queue(warehouse: Warehouse, tell: Tell) -> Warehouse:
    """The module's database without a job."""
    tell(warehouse, "truncate ops.jobs, ops.job_events")
    return warehouse


def asked(name: str = "sma_cross", **changes: Any) -> JobRequest:
    return JobRequest(**{"params": {"strategy": name}, "created_by": "desk"} | changes)


def submit(queue: Warehouse, name: str = "sma_cross", **changes: Any) -> str:
    return submit_job(queue, asked(name, **changes)).job_id


def batch(queue: Warehouse, *names: str, **changes: Any) -> tuple[str, list[str]]:
    parent, children = submit_jobs(queue, asked("all", **changes), [asked(name) for name in names])
    return parent.job_id, [child.job_id for child in children]


def run(queue: Warehouse, job_id: str, run_id: str = "run-1") -> Job:
    return start_job(queue, job_id, run_id=run_id)


def events(queue: Warehouse, job_id: str) -> list[str]:
    return [event.event for event in read_events(queue, job_id)]


def strategies(jobs: tuple[Job, ...]) -> list[str]:
    return [job.params["strategy"] for job in jobs]


def silence(tell: Tell, queue: Warehouse, *job_ids: str) -> None:
    """Let the last sign of life of jobs be two minutes old."""
    for job_id in job_ids:
        tell(queue, f"update ops.jobs set heartbeat_at = now() - interval '2 minutes' where job_id = '{job_id}'")


def test_job_waits_as_it_was_asked_for(queue: Warehouse) -> None:
    job = submit_job(queue, asked(priority=7))
    assert (job.state, job.priority, job.attempt, job.done, job.total) == (JobState.QUEUED, 7, 0, 0, None)
    assert find_job(queue, job.job_id) == job
    assert [event.detail for event in read_events(queue, job.job_id)] == [{"priority": 7, "created_by": "desk"}]


def test_ids_are_uuids_of_version_7_that_rise(queue: Warehouse) -> None:
    ids = [submit(queue) for _ in range(3)]
    parent, children = batch(queue, "a", "b")
    assert all(one < other for one, other in pairwise([*ids, parent, *children]))
    assert {UUID(job_id).version for job_id in ids} == {7}
    assert {UUID(job_id).variant for job_id in ids} == {"specified in RFC 4122"}


def test_same_key_of_the_same_person_is_one_job(queue: Warehouse) -> None:
    first = submit_job(queue, asked(idempotency_key="k"))
    assert submit_job(queue, asked(idempotency_key="k", priority=9)) == first
    assert submit(queue, idempotency_key="k", created_by="ops") != first.job_id
    assert submit(queue) != submit(queue)
    assert events(queue, first.job_id) == ["submitted"]
    with pytest.raises(InvalidInput, match="stands for job"):
        submit(queue, "other", idempotency_key="k")


def test_same_key_asked_by_two_at_once_is_one_job(queue: Warehouse) -> None:
    with ThreadPoolExecutor(4) as pool:
        ids = set(pool.map(lambda _: submit(queue, idempotency_key="k"), range(8)))
    assert len(ids) == 1
    assert len(list_jobs(queue)) == 1


def test_batch_is_asked_for_whole_and_only_once(queue: Warehouse) -> None:
    parent, children = batch(queue, "a", "b", "c", idempotency_key="k")
    assert batch(queue, "a", "b", "c", idempotency_key="k") == (parent, children)
    assert strategies(list_jobs(queue, parent=parent)) == ["a", "b", "c"]
    stored = find_job(queue, parent)
    assert (stored.kind, stored.total, stored.state) == (JobKind.BATCH, 3, JobState.QUEUED)
    with pytest.raises(InvalidInput, match="without a study"):
        submit_jobs(queue, asked(), [])


@pytest.mark.parametrize("priority", [-1, 10])
def test_batch_with_a_bad_priority_leaves_nothing(queue: Warehouse, priority: int) -> None:
    with pytest.raises(InvalidInput, match=f"priority was {priority}"):
        submit_jobs(queue, asked(), [asked(), asked(priority=priority)])
    assert list_jobs(queue) == ()


def test_claims_go_by_priority_and_then_by_age(queue: Warehouse) -> None:
    for name, priority in (("old", 5), ("low", 1), ("young", 5), ("high", 9)):
        submit(queue, name, priority=priority)
    batch(queue, "child", priority=9)
    order = ["high", "old", "young", "child", "low"]
    waiting = {job.params["strategy"]: position_in_queue(queue, job.job_id) for job in list_jobs(queue)}
    assert sorted(order, key=lambda name: waiting[name] or 0) == order
    assert waiting["all"] is None
    claimed = claim_jobs(queue, limit=2, running_limit=10)
    assert strategies(claimed) == order[:2]
    assert {(job.state, job.attempt) for job in claimed} == {(JobState.CLAIMED, 1)}
    assert strategies(claim_jobs(queue, limit=10, running_limit=10)) == order[2:]
    assert claim_jobs(queue, limit=10, running_limit=10) == ()


def test_claimed_and_running_jobs_take_the_places_of_the_pool(queue: Warehouse) -> None:
    first = submit(queue)
    batch(queue, "a", "b", "c")
    run(queue, first)
    assert len(claim_jobs(queue, limit=10, running_limit=3)) == 2
    assert claim_jobs(queue, limit=10, running_limit=3) == ()
    finish_job(queue, first, run_id="run-1", state=SUCCEEDED)
    assert len(claim_jobs(queue, limit=10, running_limit=3)) == 1


def test_callers_at_once_never_get_the_same_job_nor_exceed_the_limit(queue: Warehouse) -> None:
    for _ in range(12):
        submit(queue)
    together = threading.Barrier(4)

    def claim(_: int) -> list[str]:
        together.wait()
        return [job.job_id for job in claim_jobs(queue, limit=3, running_limit=7)]

    with ThreadPoolExecutor(4) as pool:
        claimed = [job_id for ids in pool.map(claim, range(4)) for job_id in ids]
    assert len(claimed) == len(set(claimed)) == 7


def test_job_goes_from_claim_to_success(queue: Warehouse) -> None:
    job_id = submit(queue)
    claim_jobs(queue, limit=1, running_limit=1)
    started = start_job(queue, job_id, run_id="run-1", attempt=1)
    assert (started.state, started.run_id, started.attempt) == (JobState.RUNNING, "run-1", 1)
    told = {"done": 10, "total": 100, "rate": 5.0, "eta_s": 18.0, "best": 0.5, "message": "sobol"}
    assert not progress_job(queue, job_id, run_id="run-1", study_id="s1", **told)  # type: ignore[arg-type]
    job = find_job(queue, job_id)
    assert {name: getattr(job, name) for name in told} == told
    ended = finish_job(queue, job_id, run_id="run-1", state=SUCCEEDED, message="luck")
    assert (ended.state, ended.message, ended.study_id, ended.eta_s) == (SUCCEEDED, "luck", "s1", None)
    assert ended.finished_at is not None
    assert events(queue, job_id) == ["submitted", "claimed", "started", "progressed", "finished"]
    assert finish_job(queue, job_id, run_id="run-1", state=SUCCEEDED) == ended
    with pytest.raises(StudyEnded, match="succeeded already"):
        finish_job(queue, job_id, run_id="run-1", state=FAILED)
    with pytest.raises(StudyEnded, match="Resume it"):
        run(queue, job_id)


def test_progress_without_news_is_a_sign_of_life_only(queue: Warehouse, tell: Tell) -> None:
    job_id = submit(queue)
    run(queue, job_id)
    for _ in range(2):
        progress_job(queue, job_id, run_id="run-1", done=3)
    assert events(queue, job_id) == ["submitted", "started", "progressed"]
    silence(tell, queue, job_id)
    progress_job(queue, job_id, run_id="run-1", done=3)
    assert requeue_lost(queue, older_than=MINUTE, max_attempts=3) == ()


def test_job_is_in_the_hands_of_one_run(queue: Warehouse) -> None:
    job_id = submit(queue)
    run(queue, job_id)
    assert run(queue, job_id).attempt == 1
    with pytest.raises(StudyRunning, match="run run-1 works on it"):
        run(queue, job_id, "run-2")
    with pytest.raises(Fenced):
        progress_job(queue, job_id, run_id="run-2", done=1)
    with pytest.raises(Fenced):
        finish_job(queue, job_id, run_id="run-2", state=SUCCEEDED)
    assert find_job(queue, job_id).done == 0


def test_lost_run_is_followed_by_another_and_cannot_write_any_more(queue: Warehouse, tell: Tell) -> None:
    job_id = submit(queue)
    claim_jobs(queue, limit=1, running_limit=1)
    start_job(queue, job_id, run_id="run-1", attempt=1)
    assert requeue_lost(queue, older_than=MINUTE, max_attempts=2) == ()
    silence(tell, queue, job_id)
    (lost,) = requeue_lost(queue, older_than=MINUTE, max_attempts=2)
    assert (lost.state, lost.run_id, lost.attempt) == (JobState.QUEUED, None, 1)
    assert "no sign of life for 60 s" in str(lost.message)
    (again,) = claim_jobs(queue, limit=1, running_limit=1)
    assert again.attempt == 2
    with pytest.raises(Fenced, match="Attempt 1"):
        start_job(queue, job_id, run_id="run-1", attempt=1)
    start_job(queue, job_id, run_id="run-2", attempt=2)
    with pytest.raises(Fenced):
        progress_job(queue, job_id, run_id="run-1", done=1)
    silence(tell, queue, job_id)
    (failed,) = requeue_lost(queue, older_than=MINUTE, max_attempts=2)
    assert (failed.state, failed.finished_at is not None) == (FAILED, True)
    assert "attempt 2 of 2" in str(failed.message)


def test_claim_whose_run_never_came_is_queued_again(queue: Warehouse, tell: Tell) -> None:
    job_id = submit(queue)
    claim_jobs(queue, limit=1, running_limit=1)
    silence(tell, queue, job_id)
    assert [job.state for job in requeue_lost(queue, older_than=MINUTE, max_attempts=3)] == [JobState.QUEUED]


def test_lost_job_that_was_to_stop_is_cancelled(queue: Warehouse, tell: Tell) -> None:
    job_id = submit(queue)
    run(queue, job_id)
    request_cancel(queue, job_id)
    silence(tell, queue, job_id)
    assert [job.state for job in requeue_lost(queue, older_than=MINUTE, max_attempts=3)] == [CANCELLED]


def test_waiting_job_is_cancelled_at_once_and_a_running_one_is_told(queue: Warehouse) -> None:
    waiting, running = submit(queue), submit(queue)
    assert request_cancel(queue, waiting).state is CANCELLED
    run(queue, running)
    told = request_cancel(queue, running)
    assert (told.state, told.cancel_requested) == (JobState.RUNNING, True)
    assert progress_job(queue, running, run_id="run-1", done=1)
    assert finish_job(queue, running, run_id="run-1", state=CANCELLED).state is CANCELLED
    assert events(queue, running) == ["submitted", "started", "cancelling", "progressed", "cancelled"]
    for job_id in (waiting, running):
        with pytest.raises(StudyEnded, match="cancelled already"):
            request_cancel(queue, job_id)


def test_claimed_job_that_was_cancelled_cannot_be_started(queue: Warehouse) -> None:
    job_id = submit(queue)
    claim_jobs(queue, limit=1, running_limit=1)
    request_cancel(queue, job_id)
    with pytest.raises(StudyEnded, match="it is cancelled"):
        start_job(queue, job_id, run_id="run-1", attempt=1)


def test_parent_follows_its_children(queue: Warehouse) -> None:
    parent, (one, two) = batch(queue, "a", "b")

    def state() -> tuple[JobState, int]:
        job = find_job(queue, parent)
        return job.state, job.done

    claim_jobs(queue, limit=2, running_limit=2)
    assert state() == (JobState.QUEUED, 0)
    run(queue, one)
    assert state() == (JobState.RUNNING, 0)
    finish_job(queue, one, run_id="run-1", state=SUCCEEDED)
    assert state() == (JobState.RUNNING, 1)
    run(queue, two)
    finish_job(queue, two, run_id="run-1", state=SUCCEEDED)
    assert state() == (SUCCEEDED, 2)
    ended = find_job(queue, parent)
    assert ended.started_at is not None
    assert ended.finished_at is not None
    assert events(queue, parent) == ["submitted", "started", "finished"]


@pytest.mark.parametrize(
    ("ends", "state", "message"),
    [
        ((SUCCEEDED, FAILED, CANCELLED), FAILED, "1 failed, 1 cancelled"),
        ((SUCCEEDED, SUCCEEDED, CANCELLED), SUCCEEDED, "1 cancelled"),
        ((CANCELLED, CANCELLED, CANCELLED), CANCELLED, "3 cancelled"),
    ],
)
def test_parent_ends_as_its_children_did(
    queue: Warehouse, ends: tuple[Any, ...], state: JobState, message: str
) -> None:
    parent, children = batch(queue, "a", "b", "c")
    for job_id, end in zip(children, ends, strict=True):
        run(queue, job_id)
        finish_job(queue, job_id, run_id="run-1", state=end)
    job = find_job(queue, parent)
    assert (job.state, job.message, job.done) == (state, message, 3)


def test_cancelled_parent_stops_its_children_and_ends_with_the_last(queue: Warehouse) -> None:
    parent, (done, running, waiting) = batch(queue, "a", "b", "c")
    run(queue, done)
    finish_job(queue, done, run_id="run-1", state=SUCCEEDED)
    run(queue, running)
    told = request_cancel(queue, parent)
    assert (told.state, told.cancel_requested, told.done) == (JobState.RUNNING, True, 2)
    assert find_job(queue, waiting).state is CANCELLED
    assert progress_job(queue, running, run_id="run-1", done=1)
    finish_job(queue, running, run_id="run-1", state=CANCELLED)
    assert find_job(queue, parent).state is CANCELLED
    with pytest.raises(StudyEnded):
        request_cancel(queue, parent)


def test_priority_moves_a_job_and_the_waiting_children_of_a_batch(queue: Warehouse) -> None:
    first = submit(queue, "first")
    parent, (one, two) = batch(queue, "a", "b")
    run(queue, one)
    assert reprioritise(queue, parent, priority=8).priority == 8
    assert [find_job(queue, job_id).priority for job_id in (one, two)] == [5, 8]
    assert strategies(claim_jobs(queue, limit=9, running_limit=9)) == ["b", "first"]
    assert read_events(queue, two)[1].detail == {"before": 5, "priority": 8}
    request_cancel(queue, first)
    with pytest.raises(StudyEnded):
        reprioritise(queue, first, priority=1)
    with pytest.raises(InvalidInput):
        reprioritise(queue, parent, priority=10)


def test_resumed_job_begins_with_attempt_one(queue: Warehouse) -> None:
    job_id = submit(queue)
    with pytest.raises(StudyRunning, match="it is queued"):
        resume_job(queue, job_id)
    run(queue, job_id)
    request_cancel(queue, job_id)
    finish_job(queue, job_id, run_id="run-1", state=CANCELLED, study_id="s1")
    resumed = resume_job(queue, job_id)
    assert (resumed.state, resumed.attempt, resumed.cancel_requested, resumed.study_id) == (
        *(JobState.QUEUED, 0, False, "s1"),
    )
    assert resumed.finished_at is None
    assert run(queue, job_id, "run-2").attempt == 1
    finish_job(queue, job_id, run_id="run-2", state=SUCCEEDED)
    with pytest.raises(StudyEnded, match="nothing left to do"):
        resume_job(queue, job_id)


def test_resumed_batch_queues_what_failed_or_was_cancelled(queue: Warehouse) -> None:
    parent, children = batch(queue, "a", "b", "c")
    for job_id, end in zip(children, (SUCCEEDED, FAILED, CANCELLED), strict=True):
        run(queue, job_id)
        finish_job(queue, job_id, run_id="run-1", state=end)
    assert resume_job(queue, parent).state is not FAILED
    assert [find_job(queue, job_id).state for job_id in children] == [SUCCEEDED, JobState.QUEUED, JobState.QUEUED]
    for job_id in children[1:]:
        run(queue, job_id, "run-2")
        finish_job(queue, job_id, run_id="run-2", state=SUCCEEDED)
    assert find_job(queue, parent).state is SUCCEEDED


def test_children_ended_at_once_leave_a_parent_that_ended(queue: Warehouse) -> None:
    parent, children = batch(queue, *"abcdefgh")
    for job_id in children:
        run(queue, job_id)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda job_id: finish_job(queue, job_id, run_id="run-1", state=SUCCEEDED), children))
    job = find_job(queue, parent)
    assert (job.state, job.done) == (SUCCEEDED, 8)


def test_job_is_found_by_the_beginning_of_its_id(queue: Warehouse) -> None:
    one, _ = submit(queue), submit(queue)
    assert find_job(queue, one.upper()).job_id == one
    with pytest.raises(NotFound, match="more than one job"):
        find_job(queue, one[:6])
    for unknown in ("zzz", "%", "00000000-0000-7000-8000-000000000000"):
        with pytest.raises(NotFound, match="no job"):
            find_job(queue, unknown)


@pytest.mark.parametrize("act", [request_cancel, resume_job, run, lambda *a: reprioritise(*a, priority=1)])
def test_unknown_job_is_not_found(queue: Warehouse, act: Callable[..., object]) -> None:
    with pytest.raises(NotFound, match="chandlery study list"):
        act(queue, "00000000-0000-7000-8000-000000000000")


def test_jobs_are_listed_newest_first_by_state_kind_and_parent(queue: Warehouse) -> None:
    submit(queue, "first")
    parent, _ = batch(queue, "a", "b")
    request_cancel(queue, submit(queue, "last"))
    assert strategies(list_jobs(queue)) == ["last", "b", "a", "all", "first"]
    assert strategies(list_jobs(queue, state=CANCELLED)) == ["last"]
    assert strategies(list_jobs(queue, kind=JobKind.BATCH)) == ["all"]
    assert strategies(list_jobs(queue, parent=parent, limit=1)) == ["a"]


def test_old_progress_is_pruned_and_transitions_stay(queue: Warehouse, tell: Tell) -> None:
    job_id = submit(queue)
    run(queue, job_id)
    progress_job(queue, job_id, run_id="run-1", done=1)
    tell(queue, "update ops.job_events set happened_at = now() - interval '2 minutes'")
    progress_job(queue, job_id, run_id="run-1", done=2)
    assert prune_events(queue, older_than=MINUTE) == 1
    assert events(queue, job_id) == ["submitted", "started", "progressed"]
    last = read_events(queue)[-1]
    assert last.detail["done"] == 2
    assert read_events(queue, after=last.seq) == ()


def test_claiming_does_not_wait_for_a_job_somebody_works_on(queue: Warehouse) -> None:
    held, free = submit(queue, priority=9), submit(queue)
    with queue.write() as connection:
        connection.execute(text("select 1 from ops.jobs where job_id = :id for update"), {"id": held})
        assert [job.job_id for job in claim_jobs(queue, limit=1, running_limit=1)] == [free]
