"""The tags by which a run knows its job, and progress as Dagster shows it."""

from collections.abc import Callable, Mapping
from time import perf_counter

import dagster as dg

from chandlery.steps.study_runs import Progress, progress_facts

JOB, ATTEMPT = "chandlery/job_id", "chandlery/attempt"
POOL = "optimization"

_EVERY_S = 5.0


def observing(context: dg.AssetExecutionContext) -> Callable[[Progress], None]:
    """Return a listener that logs how far a study is and observes it on its asset, at most every 5 seconds."""
    last = perf_counter()

    def report(latest: Progress) -> None:
        nonlocal last
        if perf_counter() - last < _EVERY_S:
            return
        last = perf_counter()
        facts: Mapping[str, float | int] = progress_facts(latest)
        context.log.info("study_progress %s", ", ".join(f"{name} {value:g}" for name, value in facts.items()))
        context.log_event(
            dg.AssetObservation(asset_key=context.asset_key, partition=context.partition_key, metadata=facts)
        )

    return report
