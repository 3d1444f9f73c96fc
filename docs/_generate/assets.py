"""Assets, checks, jobs and schedules as Dagster knows them."""

from collections.abc import Iterator

import dagster as dg

from chandlery.settings import Settings
from docs._generate.tables import code, table
from orchestration.definitions import build

_PARTITIONS = {
    dg.DailyPartitionsDefinition: "day",
    dg.StaticPartitionsDefinition: "strategy",
    dg.MultiPartitionsDefinition: "strategy and universe",
    type(None): "",
}


def assets() -> Iterator[str]:
    """Yield the page of assets."""
    definitions = build(Settings(_env_file=None))
    repository = definitions.get_repository_def()
    graph = repository.asset_graph
    specs = definitions.resolve_all_asset_specs()
    yield from ("# Assets", "")
    yield "Keys are places: `marts/candles_1d` is relation `candles_1d` of schema `marts`. Groups are the stages."
    for group in sorted({spec.group_name or "" for spec in specs}):
        rows = sorted(_asset(spec) for spec in specs if spec.group_name == group)
        yield from ("", f"## {group}", "", *table(("asset", "one per", "after", "what it is"), rows))
    checks = sorted((code(key.asset_key.to_user_string()), code(key.name)) for key in graph.asset_check_keys)
    yield from ("", "## Checks", "", *table(("asset", "check"), checks))
    jobs = sorted((code(job.name), job.description) for job in repository.get_all_jobs() if job.name[0] != "_")
    yield from ("", "## Jobs", "", *table(("job", "what it does"), jobs))
    yield from ("", "## Schedules", "")
    yield from ("All are stopped unless `CHANDLERY_DAGSTER__SCHEDULES_RUNNING=true`. Times are UTC.", "")
    clocks = sorted((code(s.name), code(s.cron_schedule), code(s.job_name)) for s in repository.schedule_defs)
    yield from table(("schedule", "cron", "job"), clocks)


def _asset(spec: dg.AssetSpec) -> tuple[str, ...]:
    after = sorted(code(dep.asset_key.to_user_string()) for dep in spec.deps)
    # dagster-dbt appends the SQL to a model's description.
    text = (spec.description or "").split("\n\n")[0]
    return code(spec.key.to_user_string()), _PARTITIONS[type(spec.partitions_def)], ", ".join(after), text
