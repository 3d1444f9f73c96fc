"""`python -m chandlery.cli.study_part JOB PART RUN`: one part of a study that another process has opened."""

import sys

from chandlery.errors import ChandleryError
from chandlery.settings import load_settings
from chandlery.steps.studies import work_on_part
from chandlery.steps.study_request import StudyRequest
from chandlery.store.jobs import find_job
from chandlery.store.warehouse import open_warehouse


def main(job_id: str, part: int, run_id: str) -> None:
    """Search the part to its end."""
    settings = load_settings()
    warehouse = open_warehouse(settings)
    request = StudyRequest.from_json(find_job(warehouse, job_id).params)
    work_on_part(warehouse, settings.home_dir, request, part=part, run_id=run_id)


if __name__ == "__main__":
    try:
        main(sys.argv[1], int(sys.argv[2]), sys.argv[3])
    except ChandleryError as error:
        sys.exit(f"{error.code}: {error}")
