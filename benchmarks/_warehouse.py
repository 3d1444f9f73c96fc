"""A migrated warehouse on a temporary server, for one benchmark; running this file alone does nothing."""

import logging
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from chandlery.log import configure
from chandlery.settings import DatabaseSettings
from chandlery.store.embedded import EmbeddedPostgres
from chandlery.store.migrate import migrate
from chandlery.store.warehouse import Warehouse


@contextmanager
def temporary_warehouse() -> Iterator[tuple[Warehouse, Path]]:
    """Yield the warehouse and its folder; both are gone afterwards. Log lines below warnings are kept out."""
    configure("console", level=logging.WARNING)
    with tempfile.TemporaryDirectory(prefix="chandlery-bench-") as name:
        home = Path(name)
        home.chmod(0o755)
        embedded = EmbeddedPostgres(home)
        server = embedded.ensure()
        place = {"host": server.host, "port": server.port, "user": server.user, "password": server.password}
        warehouse = Warehouse(DatabaseSettings.model_validate(place))
        try:
            migrate(warehouse)
            yield warehouse, home
        finally:
            embedded.stop()
