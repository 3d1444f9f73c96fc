"""`chandlery provider`."""

from pathlib import Path

import typer

from chandlery.settings import Settings, load_settings
from chandlery.sources.tapes import Tape, ensure_bundled_tape


def provider(
    *,
    tape: Path | None = typer.Option(None, help="Tape folder; default: the setting, else the bundled tape."),
    port: int | None = typer.Option(None, min=1, max=65535, help="Loopback port; default: the setting."),
) -> None:
    """Serve a tape over the vendor's REST paths on loopback, until interrupted."""
    # Imported here: only this command pays for a web server.
    from chandlery.sources.standin.serve import serve  # noqa: PLC0415

    settings = load_settings()
    opened = open_tape(settings, tape)
    chosen = port or settings.provider.port
    typer.echo(f"serving {opened.folder} at http://127.0.0.1:{chosen} (any key is accepted)", err=True)
    serve(opened, port=chosen)


def open_tape(settings: Settings, folder: Path | None) -> Tape:
    """Open the tape of the option, else of the setting, else the bundled one, built at first use.

    Raises:
        BadTape: the folder is not a tape.
    """
    chosen = folder or settings.provider.tape
    return Tape.open(chosen or ensure_bundled_tape(settings.home_dir / "tape"))
