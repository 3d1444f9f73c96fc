"""Every job, schedule and sensor: all clocks in one file."""

from datetime import UTC, timedelta

import dagster as dg

from chandlery.settings import Settings
from orchestration.partitions import STRATEGIES, UNIVERSE, study_partition
from orchestration.study_requests import run_tags, study_requests

_RAW = dg.AssetSelection.assets(["raw", "massive__bars_1m"], ["raw", "massive__bars_1d"])
_MODELS = dg.AssetSelection.tag("market", "")
_FINDINGS = dg.AssetSelection.assets(["ops", "findings"])

sync_universe = dg.define_asset_job(
    "sync_universe",
    dg.AssetSelection.groups("universe") | dg.AssetSelection.tag("views", ""),
    description="Instruments, calendar table, corporate actions, and the views over them.",
)
ingest_bars = dg.define_asset_job(
    "ingest_bars",
    _RAW,
    description="Fetch, audit and publish the bars of the chosen days.",
)
judge_quality = dg.define_asset_job(
    "judge_quality",
    _FINDINGS,
    description="Judge what is published of the chosen days by every rule.",
)
build_candles = dg.define_asset_job(
    "build_candles",
    _MODELS,
    description="Rebuild candles, quality scores and what the API reads of the chosen days.",
)
refresh_market = dg.define_asset_job(
    "refresh_market",
    _RAW | _MODELS | _FINDINGS | dg.AssetSelection.assets(["ops", "corporate_actions"]),
    description="Bars, judged actions, findings, candles, scores and what is served of the chosen days, in one run.",
)
run_studies = dg.define_asset_job(
    "run_studies",
    dg.AssetSelection.assets(["research", "studies"]),
    description="The study of a strategy on a universe: its request's choices, else those of the settings.",
)
export_studies = dg.define_asset_job(
    "export_studies",
    dg.AssetSelection.assets(["research", "study_exports"]),
    description="PDF and Pine of the latest finished study of a strategy on a universe.",
)
clean_exports = dg.define_asset_job(
    "clean_exports",
    dg.AssetSelection.assets(["research", "exports_cleanup"]),
    description="Remove exports whose time is over.",
)
report_risk = dg.define_asset_job(
    "report_risk",
    dg.AssetSelection.assets(["research", "risk_reports"]),
    description="The risk report of the portfolio.",
)
publish_research = dg.define_asset_job(
    "publish_research",
    dg.AssetSelection.tag("research_serving", "")
    | dg.AssetSelection.assets(["research", "strategies"], ["ops", "publication"]),
    description="Studies and reports as the API reads them, and the publication log.",
)

JOBS = [
    sync_universe,
    ingest_bars,
    judge_quality,
    build_candles,
    refresh_market,
    run_studies,
    export_studies,
    clean_exports,
    report_risk,
    publish_research,
]
SENSORS = [study_requests]


FRESHNESS = dg.FreshnessPolicy.time_window(fail_window=timedelta(hours=36), warn_window=timedelta(hours=26))
"""What users read is at most a day and a half old: the daily run, and one that may be missed."""

_READ_BY_USERS = {
    ("serving", "candles_v1"),
    ("serving", "quality_v1"),
    ("ops", "publication"),
    ("research", "risk_reports"),
}


def with_freshness(spec: dg.AssetSpec) -> dg.AssetSpec:
    """Return the spec with the freshness policy if users read the asset."""
    return dg.apply_freshness_policy(spec, FRESHNESS) if tuple(spec.key.path) in _READ_BY_USERS else spec


_REREAD_DAYS = 7
"""Five sessions of a listed stock in any week without holidays: one call a symbol."""
_RANGE_START, _RANGE_END = "dagster/asset_partition_range_start", "dagster/asset_partition_range_end"
"""How Dagster itself marks one run over several partitions."""

_REFRESHES = (
    (
        "refresh_market_daily",
        refresh_market,
        "0 2 * * *",
        "The last 7 days at 02:00 UTC: what is new, and what was revised.",
    ),
    (
        "finalize_market_daily",
        refresh_market,
        "30 16 * * *",
        "The same at 16:30 UTC, when the vendor's daily file is complete.",
    ),
    (
        "judge_quality_hourly",
        judge_quality,
        "20 * * * *",
        "What changed in the last 7 days, every hour: bars that do not come are late even if no run asks for them.",
    ),
)

_TIMETABLE = (
    ("sync_universe_daily", sync_universe, "30 1 * * *", "Instruments, calendar and corporate actions at 01:30 UTC."),
    ("report_risk_daily", report_risk, "30 3 * * *", "The risk report at 03:30 UTC."),
    ("clean_exports_daily", clean_exports, "45 4 * * *", "Exports whose time is over removed at 04:45 UTC."),
    ("publish_research_daily", publish_research, "0 4 * * *", "Studies and reports served at 04:00 UTC."),
)


def schedules(settings: Settings) -> list[dg.ScheduleDefinition]:
    """Return the timetable, in UTC; stopped unless the settings say otherwise, to spare the vendor quota."""
    wanted = settings.dagster.schedules_running
    status = dg.DefaultScheduleStatus.RUNNING if wanted else dg.DefaultScheduleStatus.STOPPED

    @dg.schedule(
        name="run_studies_daily",
        job=run_studies,
        cron_schedule="0 3 * * *",
        execution_timezone="UTC",
        default_status=status,
        description="Every strategy's study on every symbol of the settings at 03:00 UTC.",
    )
    def run_studies_daily(context: dg.ScheduleEvaluationContext) -> list[dg.RunRequest]:
        choices = settings.optimize
        context.instance.add_dynamic_partitions(str(UNIVERSE.name), list(choices.symbols))
        return [
            dg.RunRequest(
                run_key=f"{name}|{symbol}@{context.scheduled_execution_time:%Y-%m-%d}",
                partition_key=study_partition(name, symbol),
                tags=run_tags(priority=choices.priority),
            )
            for symbol in choices.symbols
            for name in STRATEGIES.get_partition_keys()
        ]

    plain = [
        dg.ScheduleDefinition(
            name=name,
            job=job,
            cron_schedule=cron,
            execution_timezone="UTC",
            default_status=status,
            description=text,
        )
        for name, job, cron, text in _TIMETABLE
    ]
    return [*_refreshes(status), run_studies_daily, *plain]


def _refreshes(status: dg.DefaultScheduleStatus) -> list[dg.ScheduleDefinition]:
    """Return the schedules over the last sessions; each takes a week, because sources revise it."""
    return [
        dg.ScheduleDefinition(
            name=name,
            job=job,
            cron_schedule=cron,
            execution_timezone="UTC",
            default_status=status,
            description=text,
            execution_fn=_last_days,
        )
        for name, job, cron, text in _REFRESHES
    ]


def _last_days(context: dg.ScheduleEvaluationContext) -> dg.RunRequest:
    yesterday = context.scheduled_execution_time.astimezone(UTC).date() - timedelta(days=1)
    first = yesterday - timedelta(days=_REREAD_DAYS - 1)
    return dg.RunRequest(tags={_RANGE_START: first.isoformat(), _RANGE_END: yesterday.isoformat()})
