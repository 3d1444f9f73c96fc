"""A study in the foreground, and jobs that run elsewhere, as one line that moves."""

import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from chandlery.optimize import Progress as Searched
from chandlery.settings import Settings
from chandlery.steps.studies import Studied, run_requested_study
from chandlery.steps.study_receipt import StudyReceipt
from chandlery.steps.study_request import StudyRequest
from chandlery.steps.study_runs import own_run_id
from chandlery.store.jobs import Job, find_job, short_id
from chandlery.store.studies import OpenedStudy
from chandlery.store.warehouse import Warehouse

_POLL_S = 1.0

Share = Callable[[str, Studied, OpenedStudy], None]


def run_here(
    warehouse: Warehouse,
    settings: Settings,
    job: Job,
    console: Console,
    *,
    is_asked_again: bool,
    share: Share | None,
) -> StudyReceipt:
    """Run a job in this process with a line of progress; an interrupt ends it after the batch under way."""
    request, run_id = StudyRequest.from_json(job.params), own_run_id()
    with _line(console) as progress, _interruptible() as interrupted:
        task = progress.add_task(f"{request.strategy} on {request.universe}", total=None, note="reading prices")

        def report(latest: Searched) -> None:
            progress.update(task, completed=latest.done, total=latest.total, note=_note(latest))

        return run_requested_study(
            warehouse,
            settings,
            request,
            job=job,
            run_id=run_id,
            is_asked_again=is_asked_again,
            progress=report,
            cancelled=interrupted.is_set,
            share=None if share is None else lambda studied, opened: share(run_id, studied, opened),
        )


def wait_for(warehouse: Warehouse, job: Job, console: Console) -> Job:
    """Return a job when it has ended; an interrupt leaves it to go on by itself."""
    with _line(console) as progress:
        task = progress.add_task(f"batch {short_id(job.job_id)}", total=job.total, note="")
        while not (job := find_job(warehouse, job.job_id)).has_ended:
            progress.update(task, completed=job.done, total=job.total, note=job.message or "")
            time.sleep(_POLL_S)
        progress.update(task, completed=job.done, total=job.total, note=job.state.value)
    return job


def _note(latest: Searched) -> str:
    parts = []
    if latest.rate is not None:
        parts.append(f"{latest.rate:,.0f}/s")
    if latest.eta_s is not None:
        parts.append(f"{latest.eta_s:,.0f} s left")
    if latest.best_score is not None:
        named = ", ".join(f"{name} {value:g}" for name, value in (latest.best_params or {}).items())
        parts.append(f"best {latest.best_score:.4f} ({named})")
    return ", ".join(parts)


def _line(console: Console) -> Progress:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    return Progress(*columns, TextColumn("[dim]{task.fields[note]}"), console=console)


@contextmanager
def _interruptible() -> Iterator[threading.Event]:
    """Yield an event that an interrupt sets; a second interrupt ends the process at once."""
    asked = threading.Event()

    def on_signal(number: int, _frame: FrameType | None) -> None:
        if asked.is_set():
            raise KeyboardInterrupt
        asked.set()
        signal.signal(number, on_signal)

    before = {number: signal.signal(number, on_signal) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield asked
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
