"""`chandlery doctor`."""

import shutil
import sys
from collections.abc import Callable

import typer
from rich.console import Console
from rich.markup import escape

from chandlery.cli.supervisor import require_free_ports
from chandlery.cli.up import services_of
from chandlery.errors import ChandleryError, ConfigError
from chandlery.settings import PROJECT_DIR, Settings, load_settings
from chandlery.steps.source import open_shared_source
from chandlery.steps.thresholds import checked_thresholds, known_thresholds
from chandlery.store.version import check_migrated
from chandlery.store.warehouse import open_warehouse

_LEAST_FREE_GB = 2.0


def doctor() -> None:
    """Check Python, settings, folders, ports, database, schema and source; exit 1 if something is wrong."""
    console, failed = Console(), False
    settings = load_settings()
    checks: list[tuple[str, Callable[[Settings], str]]] = [
        ("python", _python),
        ("settings", _thresholds),
        ("folder", _folder),
        ("ports", _ports),
        ("database", _database),
        ("source", _source),
    ]
    for name, check in checks:
        try:
            console.print(f"[green]ok[/]    {name:9} {escape(check(settings))}", highlight=False)
        except ChandleryError as error:
            failed = True
            console.print(f"[red]wrong[/] {name:9} {escape(str(error))}", highlight=False, soft_wrap=True)
    raise typer.Exit(1 if failed else 0)


def _python(_settings: Settings) -> str:
    if sys.version_info < (3, 11):  # noqa: UP036 - said in words instead of an import error
        raise ConfigError(f"Python is {sys.version.split()[0]}; chandlery needs 3.11 or newer.")
    return f"{sys.version.split()[0]}, project {PROJECT_DIR}"


def _thresholds(settings: Settings) -> str:
    changed = checked_thresholds(settings)
    named = ", ".join(f"{name} {value:g}" for name, value in sorted(changed.items()))
    return f"{len(known_thresholds())} thresholds of rules, {f'changed: {named}' if named else 'all at their default'}"


def _folder(settings: Settings) -> str:
    existing = next(path for path in (settings.home_dir, *settings.home_dir.parents) if path.exists())
    free = shutil.disk_usage(existing).free / 1e9
    if free < _LEAST_FREE_GB:
        raise ConfigError(f"{existing} has {free:.1f} GB free; {_LEAST_FREE_GB:.0f} GB are needed to work.")
    return f"{settings.home_dir}, {free:.0f} GB free"


def _ports(settings: Settings) -> str:
    services = [service for service in services_of(settings) if service.port is not None]
    require_free_ports(services)
    return ", ".join(f"{service.port} {service.name}" for service in services)


def _database(settings: Settings) -> str:
    warehouse = open_warehouse(settings)
    with warehouse.read() as connection:
        check_migrated(connection)
    return f"{warehouse.database.host}:{warehouse.database.port}/{warehouse.database.name}, schema current"


def _source(settings: Settings) -> str:
    if settings.resolved_source == "replay":
        return "the stand-in, serving a tape (set POLYGON_API_KEY for the vendor)"
    # One call: the listings would be a dozen, which is minutes on the free plan.
    source = open_shared_source(settings, open_warehouse(settings))
    announced = source.fetch_holidays()
    source.close()
    return f"the vendor at {settings.massive.base_url} answers, {len(announced)} holidays announced"
