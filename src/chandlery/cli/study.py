"""`chandlery study run|batch|list|show|cancel|resume|priority`."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import typer
from rich.console import Console

from chandlery.cli.backtest import ModeChoice, SidesChoice
from chandlery.cli.rows import RowForm, show_json
from chandlery.cli.study_report import show_job, show_jobs, show_receipt
from chandlery.cli.study_watch import run_here, wait_for
from chandlery.cli.study_workers import shared_out
from chandlery.cli.whoami import whoami
from chandlery.market.timeframes import Timeframe
from chandlery.settings import Settings, load_settings
from chandlery.steps.study_jobs import (
    cancel_study,
    change_priority,
    job_row,
    list_study_jobs,
    resume_study,
    show_study_job,
    submit_batch,
    submit_study,
)
from chandlery.steps.study_plots import write_plots
from chandlery.steps.study_request import StudyRequest, parse_range
from chandlery.store.jobs import Job, JobKind, JobState, short_id
from chandlery.store.warehouse import Warehouse, open_warehouse

app = typer.Typer(
    help="Studies: search a strategy's parameters and say how much of the result may be luck.", no_args_is_help=True
)

_TRIALS = typer.Option(None, min=1, help="Budget of candidates; default: the setting.")
_SEED = typer.Option(None, min=0, help="Seed of the search; default: the setting.")
_METHOD = typer.Option(None, help="Method; default: by size and cost of the search.")
_OBJECTIVE = typer.Option(["bar_sharpe"], help="Objective, repeatable; the first ranks.")
_TIMEFRAME = typer.Option(Timeframe.D1.value, help="Timeframe of the bars: 1d, 5m 15m 30m 1h 4h, 1w.")
_MODE = typer.Option(ModeChoice.SIMPLE, help="Conventions of fills and account.")
_SIDES = typer.Option(SidesChoice.LONG, help="long only, or both sides.")
_FEE = typer.Option(None, help="Fee per fill, basis points; default: the setting.")
_SLIPPAGE = typer.Option(None, help="Slippage per fill, basis points; default: the setting.")
_PRIORITY = typer.Option(None, min=0, max=9, help="Priority, 9 first; default: the setting.")
_FORM = typer.Option(RowForm.TABLE, "--format", help="Output format.")
_JOB = typer.Argument(metavar="ID", help="Job, or a beginning or end of its id that no other shares.")
_PLOTS = typer.Option(None, help="Folder to write the pictures of the result to, as SVG.")


@app.command()
def run(
    strategy: str = typer.Argument(help="Strategy of the library."),
    symbol: str = typer.Argument(help="Symbol whose bars are studied."),
    *,
    timeframe: str = _TIMEFRAME,
    trials: int | None = _TRIALS,
    seed: int | None = _SEED,
    method: str | None = _METHOD,
    objective: list[str] = _OBJECTIVE,
    bounds: list[str] = typer.Option([], "--range", help="Narrower parameter, name=lo:hi:step or name=value."),
    mode: ModeChoice = _MODE,
    sides: SidesChoice = _SIDES,
    fee_bps: float | None = _FEE,
    slippage_bps: float | None = _SLIPPAGE,
    priority: int | None = _PRIORITY,
    shards: int = typer.Option(1, min=1, max=64, help="Processes that share the search."),
    again: bool = typer.Option(False, "--again", help="Forget the stored answer of this very question first."),
    detach: bool = typer.Option(False, help="Leave it to `chandlery up` and return."),
    plots: Path | None = _PLOTS,
    form: RowForm = _FORM,
) -> None:
    """Study one strategy on one symbol; Ctrl-C keeps what was evaluated."""
    settings = load_settings()
    plain = _plain(settings, mode, sides, trials=trials, seed=seed, fee_bps=fee_bps, slippage_bps=slippage_bps)
    request = StudyRequest(
        strategy=strategy,
        symbol=symbol,
        timeframe=timeframe,
        method=method,
        objectives=tuple(objective),
        ranges=dict(parse_range(text) for text in bounds),
        parts=shards,
        **plain,
    )
    warehouse = open_warehouse(settings)
    job = submit_study(warehouse, request, created_by=whoami(), priority=_priority(settings, priority))
    if detach:
        _tell_queued(job, form)
        return
    _run_and_show(warehouse, settings, job, again=again, plots=plots, form=form)


@app.command()
def batch(
    *,
    strategies: str = typer.Option(..., help="Strategies: names or patterns with commas between, or all."),
    symbols: str = typer.Option(..., help="Symbols: names or patterns with commas between, or all tracked ones."),
    timeframe: str = _TIMEFRAME,
    trials: int | None = _TRIALS,
    seed: int | None = _SEED,
    method: str | None = _METHOD,
    objective: list[str] = _OBJECTIVE,
    mode: ModeChoice = _MODE,
    sides: SidesChoice = _SIDES,
    fee_bps: float | None = _FEE,
    slippage_bps: float | None = _SLIPPAGE,
    priority: int | None = _PRIORITY,
    wait: bool = typer.Option(False, help="Return when all have ended; else at once."),
    form: RowForm = _FORM,
) -> None:
    """Ask for one study per strategy and symbol; `chandlery up` runs them."""
    settings = load_settings()
    plain = _plain(settings, mode, sides, trials=trials, seed=seed, fee_bps=fee_bps, slippage_bps=slippage_bps)
    request = StudyRequest(
        strategy="", symbol="", timeframe=timeframe, method=method, objectives=tuple(objective), **plain
    )
    warehouse = open_warehouse(settings)
    parent, children = submit_batch(
        warehouse,
        request,
        strategies=_names(strategies),
        symbols=_names(symbols),
        created_by=whoami(),
        priority=_priority(settings, priority),
    )
    if wait:
        ended = wait_for(warehouse, parent, Console(stderr=True))
        _show_one(warehouse, ended.job_id, form)
        raise typer.Exit(0 if ended.state is JobState.SUCCEEDED else 7)
    typer.echo(f"{len(children)} studies are queued as batch {short_id(parent.job_id)}.", err=form is not RowForm.TABLE)
    if form is not RowForm.TABLE:
        show_jobs([job_row(job) for job in (parent, *children)], form)


@app.command("list")
def list_(
    *,
    state: JobState | None = typer.Option(None, help="Only in this state."),
    limit: int = typer.Option(50, min=1, max=100_000, help="At most so many."),
    form: RowForm = _FORM,
) -> None:
    """List jobs, the newest first."""
    show_jobs(list_study_jobs(open_warehouse(load_settings()), state=state, limit=limit), form)


@app.command()
def show(job: str = _JOB, *, plots: Path | None = _PLOTS, form: RowForm = _FORM) -> None:
    """Show a job, and the study it made with evidence and choices."""
    settings = load_settings()
    warehouse = open_warehouse(settings)
    told = _show_one(warehouse, job, form)
    if plots is not None and told["job"]["study_id"] is not None:
        _tell_plots(write_plots(warehouse, told["job"]["study_id"], plots))


@app.command()
def cancel(job: str = _JOB) -> None:
    """Cancel a job: one that waits at once, one that runs after its batch; its batches stay."""
    found = cancel_study(open_warehouse(load_settings()), job)
    word = "is cancelled" if found.has_ended else "will stop after its batch"
    typer.echo(
        f"Job {short_id(found.job_id)} {word}; `chandlery study resume {short_id(found.job_id)}` goes on from there."
    )


@app.command()
def resume(
    job: str = _JOB,
    *,
    detach: bool = typer.Option(False, help="Leave it to `chandlery up` and return."),
    plots: Path | None = _PLOTS,
    form: RowForm = _FORM,
) -> None:
    """Go on with a job that failed, was cancelled or was lost, from its last batch; a batch goes on under `up`."""
    settings = load_settings()
    warehouse = open_warehouse(settings)
    queued = resume_study(warehouse, job)
    if detach or queued.kind is JobKind.BATCH:
        _tell_queued(queued, form)
    else:
        _run_and_show(warehouse, settings, queued, again=False, plots=plots, form=form)


@app.command()
def priority(
    job: str = _JOB, value: int = typer.Argument(metavar="N", min=0, max=9, help="Priority, 9 first.")
) -> None:
    """Change the priority of a job that waits; of a batch, of all its studies that wait."""
    found = change_priority(open_warehouse(load_settings()), job, priority=value)
    typer.echo(f"Job {short_id(found.job_id)} has priority {found.priority}.")


def _run_and_show(
    warehouse: Warehouse, settings: Settings, job: Job, *, again: bool, plots: Path | None, form: RowForm
) -> None:
    console = Console(stderr=True)
    with shared_out(settings, job) as share:
        receipt = run_here(warehouse, settings, job, console, is_asked_again=again, share=share)
    if not receipt.is_finished:
        console.print(f"Cancelled; what was evaluated is kept. Go on: chandlery study resume {short_id(job.job_id)}")
        raise typer.Exit(7)
    if form is RowForm.TABLE:
        show_receipt(receipt)
    else:
        show_job(show_study_job(warehouse, job.job_id), form)
    if plots is not None:
        _tell_plots(write_plots(warehouse, receipt.study_id, plots))


def _show_one(warehouse: Warehouse, job: str, form: RowForm) -> dict[str, Any]:
    told = show_study_job(warehouse, job)
    show_job(told, form)
    return told


def _tell_queued(job: Job, form: RowForm) -> None:
    if form is RowForm.TABLE:
        typer.echo(
            f"Job {short_id(job.job_id)} is queued for `chandlery up`; chandlery study show {short_id(job.job_id)}"
        )
    else:
        show_json(job_row(job))


def _tell_plots(paths: Sequence[Path]) -> None:
    for path in paths:
        typer.echo(str(path), err=True)


def _plain(settings: Settings, mode: ModeChoice, sides: SidesChoice, **given: float | None) -> dict[str, Any]:
    """Return the choices that all studies of a command share; what is not given is the setting's."""
    choices = settings.optimize
    plain = {name: getattr(choices, name) if value is None else value for name, value in given.items()}
    if mode is ModeChoice.PINE and given["slippage_bps"] is None:
        plain["slippage_bps"] = 0.0  # Pine mode counts slippage in ticks
    return {**plain, "mode": mode.value, "sides": sides.value}


def _priority(settings: Settings, given: int | None) -> int:
    return settings.optimize.priority if given is None else given


def _names(text: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in text.split(",") if name.strip())
