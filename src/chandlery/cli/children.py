"""Child processes: what Dagster, dbt and the stand-in are told, and how one is run to its end."""

import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from chandlery.errors import ChandleryError, ConfigError
from chandlery.settings import PROJECT_DIR, Settings, process_environment
from chandlery.steps.candles import dbt_environment
from chandlery.store.warehouse import Warehouse

_TAIL = 25


def dagster_environment(settings: Settings, warehouse: Warehouse) -> dict[str, str]:
    """Return the variables of a Dagster process: its home, its storage, dbt's login; telemetry off."""
    return {
        "DAGSTER_HOME": str(prepare_dagster_home(settings)),
        "CHANDLERY_HOME": str(settings.home_dir),
        "CHANDLERY_DAGSTER_URL": warehouse.url("pipeline", driver="psycopg2", schema="dagster"),
        # Off by default: then every event of a backfill costs two connections (see orchestration/storage.py).
        "DAGSTER_EVENT_BATCH_SIZE": "1000",
        "DAGSTER_DISABLE_TELEMETRY": "yes",
        "DO_NOT_TRACK": "1",
        "GX_ANALYTICS_ENABLED": "false",
        **dbt_environment(warehouse),
    }


def prepare_dagster_home(settings: Settings) -> Path:
    """Make the Dagster home below ours and put the current `dagster.yaml` into it.

    Raises:
        ConfigError: the folder cannot be written, or the checkout's `deploy/` is missing.
    """
    template = PROJECT_DIR / "deploy" / "dagster.yaml"
    home = settings.home_dir / "dagster"
    try:
        home.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(template, home / "dagster.yaml")
        # Dagster's mark that its newsletter window was seen: it would cover the first page.
        (home / ".nux").mkdir(exist_ok=True)
        (home / ".nux" / "nux.yaml").write_text("seen: 1\n", encoding="utf-8")
    except OSError as error:
        raise ConfigError(
            f"Dagster's home {home} could not be prepared from {template}: {error.strerror}. "
            "Run from a checkout and set CHANDLERY_HOME to a folder you may write."
        ) from error
    return home


def run_to_end(
    arguments: Sequence[str],
    *,
    what: str,
    log_file: Path,
    environment: Mapping[str, str],
    waiting: Callable[[], None],
) -> None:
    """Run `python ARGUMENTS` with its output in `log_file`, calling `waiting` four times a second meanwhile.

    Raises:
        ChandleryError: it failed; the end of its log is in the message.
    """
    log_file.parent.mkdir(parents=True, exist_ok=True)
    with log_file.open("wb") as output:
        child = subprocess.Popen(
            [sys.executable, *arguments],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            cwd=PROJECT_DIR,
            env=process_environment(environment),
        )
        try:
            while True:
                try:
                    code = child.wait(timeout=0.25)
                    break
                except subprocess.TimeoutExpired:
                    waiting()
        except BaseException:
            child.terminate()
            child.wait()
            raise
    if code != 0:
        raise ChandleryError(f"{what} ended with status {code}. {_reason(log_file)}\nThe whole log: {log_file}")


def _reason(log_file: Path) -> str:
    lines = log_file.read_text(errors="replace").splitlines()
    marked = [line for line in lines if "dagster.Failure" in line or "Error" in line]
    return "It said:\n" + "\n".join((marked or lines)[-_TAIL:])
