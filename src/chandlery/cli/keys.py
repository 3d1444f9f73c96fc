"""`chandlery keys create|list|revoke`."""

import secrets
from datetime import timedelta

import typer
from rich.console import Console
from rich.table import Table

from chandlery.clock import now
from chandlery.settings import load_settings
from chandlery.store.keys import SCOPES, create_key, list_keys, revoke_key
from chandlery.store.warehouse import open_warehouse

app = typer.Typer(help="API keys: shown once at creation, stored as hashes.", no_args_is_help=True)


@app.command()
def create(
    name: str = typer.Argument(help="Who or what will use it."),
    *,
    scope: list[str] = typer.Option(list(SCOPES), help="Scope; repeat for several. Default: all read scopes."),
    days: int | None = typer.Option(None, min=1, help="Days until it expires; default never."),
) -> None:
    """Create a key and print it; it cannot be shown again."""
    moment = now()
    expires = None if days is None else moment + timedelta(days=days)
    plain, _ = create_key(
        open_warehouse(load_settings()),
        name=name,
        scopes=tuple(scope),
        expires_at=expires,
        now=moment,
        entropy=secrets.token_bytes,
    )
    typer.echo(plain)


@app.command(name="list")
def list_() -> None:
    """List the keys: preview, scopes, state."""
    table = Table("id", "name", "preview", "scopes", "created", "expires", "revoked", "last used")
    for key in list_keys(open_warehouse(load_settings())):
        stamps = (key.created_at, key.expires_at, key.revoked_at, key.last_used_at)
        texts = ["" if stamp is None else f"{stamp:%Y-%m-%d %H:%M}" for stamp in stamps]
        table.add_row(key.key_id, key.name, key.preview, " ".join(key.scopes), *texts)
    Console().print(table)


@app.command()
def revoke(key_id: str = typer.Argument(help="Id as `keys list` shows it.")) -> None:
    """Revoke a key; it is refused within a second."""
    revoke_key(open_warehouse(load_settings()), key_id, now=now())
    typer.echo(f"revoked {key_id}")
