"""The sensor that serves requested studies: jobs become runs, lost ones are queued again.

It claims no more jobs than the pool has places, so that priorities count until a run begins, and a request made now
may overtake one made before.
"""

from collections.abc import Mapping

import dagster as dg

from chandlery.clock import now
from chandlery.settings import Settings
from chandlery.steps.study_jobs import (
    Claimed,
    cancel_study,
    claim_studies,
    keep_claims,
    requeue_lost_studies,
    studies_under_way,
)
from chandlery.store.jobs import Job, JobState
from chandlery.store.warehouse import Warehouse
from orchestration.partitions import UNIVERSE, study_partition
from orchestration.study_progress import ATTEMPT, JOB, POOL

_EVERY_S = 10
_UNFINISHED = (
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
)


def run_tags(*, priority: int) -> dict[str, str]:
    """Return the tags of any run of a study: its place in Dagster's queue, and that Dagster does not repeat it.

    The job is queued again by us, as a new attempt; a repetition by Dagster would be a second one of the same.
    """
    return {"dagster/priority": str(priority), "dagster/max_retries": "0"}


@dg.sensor(
    job_name="run_studies",
    minimum_interval_seconds=_EVERY_S,
    # A request is meant to be served; it spends no quota of the vendor.
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Starts the studies that were asked for, highest priority first, and again those that were lost.",
)
def study_requests(
    context: dg.SensorEvaluationContext,
    settings: dg.ResourceParam[Settings],
    warehouse: dg.ResourceParam[Warehouse],
) -> dg.SensorResult | dg.SkipReason:
    """Give the pool its size, look after what is under way, claim what may start."""
    keep_limit(context.instance, settings.optimize.workers)
    _look_after_claims(context.instance, warehouse)
    lost = requeue_lost_studies(warehouse)
    _end_runs_of(context.instance, lost)
    claimed = claim_studies(warehouse, workers=settings.optimize.workers)
    if not claimed:
        return dg.SkipReason(f"No study can start now; {len(lost)} lost ones were queued again.")
    wanted = sorted({item.universe for item in claimed})
    return dg.SensorResult(
        run_requests=[_run_request(item) for item in claimed],
        dynamic_partitions_requests=[UNIVERSE.build_add_request(wanted)],
    )


def keep_limit(instance: dg.DagsterInstance, places: int) -> None:
    """Give the pool of studies its size: `dagster.yaml` knows one default for all pools only."""
    storage = instance.event_log_storage
    if not storage.supports_global_concurrency_limits:
        return
    known = {pool.name: pool.limit for pool in storage.get_pool_limits()}
    if known.get(POOL) != places:
        storage.set_concurrency_slots(POOL, places)


def _run_request(claimed: Claimed) -> dg.RunRequest:
    job = claimed.job
    mine: Mapping[str, str] = {JOB: job.job_id, ATTEMPT: str(job.attempt), **run_tags(priority=job.priority)}
    # Claims are counted from 1 again when a job is resumed by hand, and Dagster drops a key it has seen.
    claimed_at = job.heartbeat_at or now()
    return dg.RunRequest(
        run_key=f"{job.job_id}:{job.attempt}:{claimed_at:%Y%m%dT%H%M%S}",
        partition_key=study_partition(claimed.strategy, claimed.universe),
        tags=mine,
    )


def _look_after_claims(instance: dg.DagsterInstance, warehouse: Warehouse) -> None:
    """Keep claims whose runs wait in Dagster's queue; cancel those whose runs were cancelled there."""
    waiting, cancelled = [], []
    for job in studies_under_way(warehouse, JobState.CLAIMED):
        mine = instance.get_runs(dg.RunsFilter(tags={JOB: job.job_id, ATTEMPT: str(job.attempt)}), limit=1)
        if mine and mine[0].status in _UNFINISHED:
            waiting.append(job.job_id)
        elif mine and mine[0].status is dg.DagsterRunStatus.CANCELED:
            cancelled.append(job.job_id)
    keep_claims(warehouse, waiting)
    for job_id in cancelled:
        cancel_study(warehouse, job_id)


def _end_runs_of(instance: dg.DagsterInstance, lost: tuple[Job, ...]) -> None:
    """Let Dagster know of runs that are gone: where worker and code server die together it would show them forever."""
    for job in lost:
        for run in instance.get_runs(dg.RunsFilter(tags={JOB: job.job_id}, statuses=list(_UNFINISHED))):
            instance.report_run_failed(
                run, f"Job {job.job_id} gave no sign of life from this run; it was queued again."
            )
