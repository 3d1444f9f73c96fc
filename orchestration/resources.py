"""One resource per outside thing; each hands out a library object, so the library never learns of Dagster.

No field holds a value of the settings: fields end up in the location snapshot that the UI shows, and settings
hold secrets. They are read again where a resource is created.
"""

import dagster as dg
from dagster_dbt import DbtCliResource

from chandlery.settings import Settings, load_settings
from chandlery.sources import open_source
from chandlery.sources.protocol import BarSource
from chandlery.steps.models import DBT_PROGRAM, DBT_PROJECT
from chandlery.steps.source import open_shared_source
from chandlery.store.warehouse import Warehouse, open_warehouse


class SettingsResource(dg.ConfigurableResource[Settings]):
    """The settings of this process."""

    def create_resource(self, context: dg.InitResourceContext) -> Settings:  # noqa: ARG002
        """Read the environment."""
        return load_settings()


class WarehouseResource(dg.ConfigurableResource[Warehouse]):
    """PostgreSQL; the embedded server is started if it does not run."""

    def create_resource(self, context: dg.InitResourceContext) -> Warehouse:  # noqa: ARG002
        """Find or start the warehouse."""
        return open_warehouse(load_settings())


class BarSourceResource(dg.ConfigurableResource[BarSource]):
    """The vendor, or its stand-in."""

    def create_resource(self, context: dg.InitResourceContext) -> BarSource:  # noqa: ARG002
        """Open the source the settings name; the vendor's pace is kept over all processes of the warehouse."""
        settings = load_settings()
        if settings.resolved_source == "replay":
            return open_source(settings)
        return open_shared_source(settings, open_warehouse(settings))


def resources() -> dict[str, object]:
    """Return the resources by the names assets ask for."""
    return {
        "settings": SettingsResource(),
        "warehouse": WarehouseResource(),
        "bar_source": BarSourceResource(),
        "dbt": DbtCliResource(
            project_dir=str(DBT_PROJECT), profiles_dir=str(DBT_PROJECT), dbt_executable=str(DBT_PROGRAM)
        ),
    }
