"""The tie between a study at work and its job: progress and signs of life go out, a cancellation comes in.

A thread writes once a second, so the search never waits for the database; a database that is away for a while costs
progress lines, nothing else.
"""

import threading
from contextlib import suppress
from types import TracebackType
from typing import Self

from chandlery.errors import ChandleryError, Fenced, NotFound, StoreError
from chandlery.log import get_logger
from chandlery.optimize import Progress
from chandlery.store.job_queue import progress_job
from chandlery.store.jobs import Job
from chandlery.store.warehouse import Warehouse

log = get_logger(__name__)

_EVERY_S = 1.0


class JobWatch:
    """Reports on a job that runs until the block ends; `cancelled` is to be asked between batches."""

    def __init__(self, warehouse: Warehouse, job: Job, *, run_id: str) -> None:
        self._warehouse = warehouse
        self._job = job
        self._run_id = run_id
        self._latest: Progress | None = None
        self._study_id: str | None = None
        self._ended = threading.Event()
        self._stop = threading.Event()
        self._lost: ChandleryError | None = None
        self._thread = threading.Thread(target=self._beat, name="job-watch", daemon=True)

    def __enter__(self) -> Self:
        """Begin to report."""
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Report a last time and stop."""
        self._ended.set()
        self._thread.join()
        with suppress(StoreError, Fenced, NotFound):
            self._report()

    def study(self, study_id: str) -> None:
        """Tell the job which study it makes, at once: other runs look for it."""
        self._study_id = study_id
        self._report()

    def progress(self, latest: Progress) -> None:
        """Take note of how far the search is."""
        self._latest = latest

    def cancelled(self) -> bool:
        """Return whether the search is to stop after this batch.

        Raises:
            Fenced: another run took the job over.
        """
        if self._lost is not None:
            raise self._lost
        return self._stop.is_set()

    def _beat(self) -> None:
        while not self._ended.wait(_EVERY_S):
            try:
                self._report()
            except (Fenced, NotFound) as error:
                self._lost = error
                return
            except StoreError as error:
                log.warning("job_progress_unwritten", job=self._job.job_id, reason=str(error))

    def _report(self) -> None:
        latest = self._latest
        is_asked = progress_job(
            self._warehouse,
            self._job.job_id,
            run_id=self._run_id,
            done=latest.done if latest else self._job.done,
            total=latest.total if latest else self._job.total,
            rate=latest.rate if latest else None,
            eta_s=latest.eta_s if latest else None,
            best=latest.best_score if latest else None,
            study_id=self._study_id,
        )
        if is_asked:
            self._stop.set()
