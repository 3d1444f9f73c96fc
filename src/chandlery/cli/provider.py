"""`chandlery provider`."""

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import typer

from chandlery.errors import ConfigError
from chandlery.settings import Settings, load_settings
from chandlery.sources.tapes import Tape, ensure_bundled_tape


def provider(
    *,
    tape: Path | None = typer.Option(None, help="Tape folder; default: the setting, else the bundled tape."),
    port: int | None = typer.Option(None, min=1, max=65535, help="Loopback port; default: the setting."),
    plan: str | None = typer.Option(None, help="Limits of a subscription: basic, starter or advanced; default: none."),
    refusal: str | None = typer.Option(None, help="Shape of the plan's refusals: message (default), error or body."),
    faults: Path | None = typer.Option(None, help="JSON file that says what goes wrong, and when."),
    flat_files: bool = typer.Option(False, "--flat-files", help="Serve the csv.gz tree under /flatfiles as well."),
    recorded: Path | None = typer.Option(None, help="Folder of recorded responses to serve instead of a tape."),
) -> None:
    """Serve a tape over the vendor's REST paths on loopback, until interrupted."""
    # Imported here: only this command pays for a web server.
    from chandlery.sources.standin import PLANS, Refusal, create_app, create_recorded_app, serve_app  # noqa: PLC0415
    from chandlery.sources.standin.faults import read_script  # noqa: PLC0415

    settings = load_settings()
    chosen = None if plan is None else PLANS[_known(plan, PLANS, "--plan")]
    if refusal is not None:
        if chosen is None:
            raise ConfigError("--refusal was given without --plan; name the plan that is to refuse.")
        chosen = replace(chosen, refusal=Refusal(_known(refusal, list(Refusal), "--refusal")))
    script = None if faults is None else read_script(faults)
    if recorded is None:
        opened = open_tape(settings, tape)
        place, app = opened.folder, create_app(opened, faults=script, plan=chosen, flat_files=flat_files)
    else:
        if tape is not None or chosen is not None or flat_files:
            raise ConfigError("--recorded was given with --tape, --plan or --flat-files; recorded answers have none.")
        place, app = recorded, create_recorded_app(recorded, faults=script)
    listening = port or settings.provider.port
    typer.echo(f"serving {place} at http://127.0.0.1:{listening} (any key is accepted)", err=True)
    serve_app(app, port=listening)


def open_tape(settings: Settings, folder: Path | None) -> Tape:
    """Open the tape of the option, else of the setting, else the bundled one, built at first use.

    Raises:
        BadTape: the folder is not a tape.
    """
    chosen = folder or settings.provider.tape
    return Tape.open(chosen or ensure_bundled_tape(settings.home_dir / "tape"))


def _known(name: str, names: Iterable[str], option: str) -> str:
    known = sorted(names)
    if name not in known:
        raise ConfigError(f"{option} was {name!r}; known are {', '.join(known)}.")
    return name
