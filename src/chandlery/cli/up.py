"""`chandlery up` and `chandlery down`."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import orjson
import typer

from chandlery.cli.children import dagster_environment
from chandlery.cli.demo import prepare
from chandlery.cli.supervisor import Service, Supervisor, require_free_ports
from chandlery.errors import ConfigError, Unavailable
from chandlery.settings import PROJECT_DIR, Settings, load_settings
from chandlery.steps.thresholds import checked_thresholds
from chandlery.store.embedded import EmbeddedPostgres

_READY_S = 90.0


def up(*, detach: bool = typer.Option(False, "--detach", "-d", help="Return once all answer.")) -> None:
    """Run the Dagster webserver, its daemon and the API until interrupted; print their URLs.

    With the stand-in as source, it runs too. Logs are in the home folder under logs/.
    """
    settings = load_settings()
    checked_thresholds(settings)
    _require_not_running(settings)
    services = services_of(settings)
    require_free_ports(services)
    if detach:
        _detach(settings)
        return
    embedded = EmbeddedPostgres(settings.home_dir) if settings.profile == "embedded" else None
    was_running = embedded is None or embedded.running() is not None
    environment = dagster_environment(settings, prepare(settings))
    try:
        with Supervisor(services, environment=environment, log_dir=settings.home_dir / "logs") as supervisor:
            if supervisor.wait_ready(timeout_s=_READY_S):
                _announce(settings, services)
                supervisor.watch()
    finally:
        _state(settings).unlink(missing_ok=True)
        if embedded is not None and not was_running:
            embedded.stop()


def down() -> None:
    """Stop what `up` started, then the embedded database."""
    settings = load_settings()
    pid = _running_pid(settings)
    if pid is not None:
        os.kill(pid, signal.SIGTERM)
        _wait_gone(pid)
        typer.echo("services stopped")
    if settings.profile == "embedded":
        typer.echo("database stopped" if EmbeddedPostgres(settings.home_dir).stop() else "database was not running")


def services_of(settings: Settings) -> list[Service]:
    """Return what `up` runs with these settings."""
    programs = Path(sys.executable).parent
    workspace = str(PROJECT_DIR / "workspace.yaml")
    dagster, api = settings.dagster, settings.api
    webserver = (str(programs / "dagster-webserver"), "-w", workspace, "-h", dagster.host, "-p", str(dagster.port))
    uvicorn = (sys.executable, "-m", "uvicorn", "chandlery.api.app:create_app", "--factory")
    found = [
        Service("dagster-webserver", webserver, dagster.host, dagster.port, "/server_info"),
        Service("dagster-daemon", (str(programs / "dagster-daemon"), "run", "-w", workspace)),
        Service(
            "api",
            (*uvicorn, "--host", api.host, "--port", str(api.port), "--no-access-log"),
            api.host,
            api.port,
            "/livez",
        ),
    ]
    if settings.resolved_source == "replay":
        command = (sys.executable, "-m", "chandlery", "provider")
        found.append(Service("provider", command, "127.0.0.1", settings.provider.port, "/v3/reference/tickers"))
    return found


def _announce(settings: Settings, services: list[Service]) -> None:
    urls = {service.name: service.url for service in services if service.url is not None}
    _state(settings).write_bytes(orjson.dumps({"pid": os.getpid(), "urls": urls}))
    typer.echo(f"Dagster   {urls['dagster-webserver']}")
    typer.echo(f"API       {urls['api']}/v1/symbols   (key: chandlery keys create NAME)")
    typer.echo(f"API docs  {urls['api']}/docs")


def _detach(settings: Settings) -> None:
    log_file = settings.home_dir / "logs" / "up.log"
    log_file.parent.mkdir(parents=True, exist_ok=True)
    with log_file.open("wb") as output:
        child = subprocess.Popen(
            [sys.executable, "-m", "chandlery", "up"],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    while not _state(settings).exists():
        if child.poll() is not None:
            raise Unavailable(f"`up` ended with status {child.returncode}:\n{log_file.read_text(errors='replace')}")
        time.sleep(0.2)
    typer.echo(log_file.read_text(errors="replace").rstrip())


def _require_not_running(settings: Settings) -> None:
    pid = _running_pid(settings)
    if pid is not None:
        raise ConfigError(
            f"`chandlery up` already runs for {settings.home_dir} (process {pid}). Stop it: chandlery down."
        )


def _state(settings: Settings) -> Path:
    return settings.home_dir / "up.json"


def _running_pid(settings: Settings) -> int | None:
    try:
        pid = int(orjson.loads(_state(settings).read_bytes())["pid"])
        arguments = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except (OSError, ValueError, KeyError):
        return None
    # A number may have been given to another process since: ours is the one started as `... up`.
    return pid if b"up" in arguments else None


def _wait_gone(pid: int) -> None:
    deadline = time.perf_counter() + 30
    while Path(f"/proc/{pid}").exists() and time.perf_counter() < deadline:
        state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[-1].split()[0]
        if state == "Z":
            return
        time.sleep(0.1)
