"""`python -m orchestration.run_studies UNIVERSE STRATEGY...`: several studies in one process, a Dagster run each.

For whoever wants a few short ones now (the demo): starting a process per run costs more than the study.
"""

import sys
from collections.abc import Sequence

import dagster as dg

from chandlery.settings import load_settings
from orchestration.definitions import defs
from orchestration.partitions import UNIVERSE, study_partition
from orchestration.study_requests import run_tags


def main(universe: str, strategies: Sequence[str]) -> None:
    """Run the studies one after the other; the first failure ends it."""
    instance = dg.DagsterInstance.get()
    instance.add_dynamic_partitions(str(UNIVERSE.name), [universe])
    job = defs.resolve_job_def("run_studies")
    tags = run_tags(priority=load_settings().optimize.priority)
    for name in strategies:
        job.execute_in_process(partition_key=study_partition(name, universe), instance=instance, tags=tags)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
