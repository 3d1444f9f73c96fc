"""A study as the run of a job: of the job a run was started for, or of one made for it."""

from collections.abc import Callable
from uuid import uuid4

from chandlery.errors import InvalidInput
from chandlery.optimize import Progress
from chandlery.settings import Settings
from chandlery.steps.studies import run_requested_study
from chandlery.steps.study_jobs import submit_study
from chandlery.steps.study_receipt import StudyReceipt
from chandlery.steps.study_request import StudyRequest, default_request
from chandlery.store.jobs import find_job, short_id
from chandlery.store.warehouse import Warehouse

__all__ = ["Progress", "own_run_id", "progress_facts", "run_study_job"]


def run_study_job(
    warehouse: Warehouse,
    settings: Settings,
    *,
    strategy: str,
    universe: str,
    job_id: str | None,
    attempt: int | None,
    run_id: str,
    progress: Callable[[Progress], None] | None = None,
) -> tuple[StudyRequest, StudyReceipt]:
    """Run the study of a job, or, without a job, what the settings say of strategy and universe, as a job of its own.

    Raises:
        InvalidInput: the job asks for another strategy or universe than this run is for.
        Whatever `run_requested_study` raises.
    """
    if job_id is None:
        request = default_request(settings.optimize, strategy, universe)
        job = submit_study(warehouse, request, created_by="dagster", priority=settings.optimize.priority)
    else:
        job = find_job(warehouse, job_id)
        request = StudyRequest.from_json(job.params)
    if (request.strategy, request.universe) != (strategy, universe):
        raise InvalidInput(
            f"Job {short_id(job.job_id)} asks for {request.strategy} on {request.universe}, and this run is for "
            f"{strategy} on {universe}. Start the run of the job's own partition, or leave the job's tag out."
        )
    receipt = run_requested_study(
        warehouse, settings, request, job=job, run_id=run_id, attempt=attempt, progress=progress
    )
    return request, receipt


def own_run_id() -> str:
    """Return the name of a run that no orchestrator started."""
    return f"local-{uuid4().hex[:16]}"


def progress_facts(latest: Progress) -> dict[str, float | int]:
    """Return how far a search is as figures: done, total, rate, seconds left, best so far; those that are known."""
    figures = {
        "done": latest.done,
        "total": latest.total,
        "rate": latest.rate,
        "eta_s": latest.eta_s,
        "best": latest.best_score,
    }
    return {name: value for name, value in figures.items() if value is not None}
