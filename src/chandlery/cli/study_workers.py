"""The processes that share a search: each works on one part of every batch, and dies with the first."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from chandlery.settings import Settings, process_environment
from chandlery.steps.studies import Studied
from chandlery.steps.study_request import StudyRequest
from chandlery.store.jobs import Job, short_id
from chandlery.store.studies import OpenedStudy

_STOP_S = 10


@contextmanager
def shared_out(settings: Settings, job: Job) -> Iterator[Callable[[str, Studied, OpenedStudy], None] | None]:
    """Yield what starts the workers of the other parts once the study is open; None for a study in one part."""
    request = StudyRequest.from_json(job.params)
    if request.parts == 1:
        yield None
        return
    children: list[subprocess.Popen[bytes]] = []
    log_dir = settings.home_dir / "logs"
    log_dir.mkdir(parents=True, exist_ok=True)

    def start(run_id: str, _studied: Studied, opened: OpenedStudy) -> None:
        for part in range(1, opened.parts):
            command = [sys.executable, "-m", "chandlery.cli.study_part", job.job_id, str(part), run_id]
            with (log_dir / f"study-{short_id(job.job_id)}-{part}.log").open("wb") as output:
                children.append(
                    subprocess.Popen(
                        command,
                        stdin=subprocess.DEVNULL,
                        stdout=output,
                        stderr=output,
                        env=process_environment({"CHANDLERY_HOME": str(settings.home_dir)}),
                        start_new_session=True,
                    )
                )

    try:
        yield start
    finally:
        for child in children:
            if child.poll() is None:
                child.terminate()
        for child in children:
            try:
                child.wait(timeout=_STOP_S)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()
