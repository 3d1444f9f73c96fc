"""The code location, loaded once: importing it parses the dbt project if its manifest is stale."""

import warnings

import dagster as dg
import pytest


@pytest.fixture(scope="session")
def location() -> dg.Definitions:
    with warnings.catch_warnings():
        # Dagster 1.13 marks backfill policies and pools as beta; dagster_dbt loads a deprecated parser (2026-11).
        warnings.simplefilter("ignore")
        from orchestration.definitions import defs

        defs.get_repository_def().load_all_definitions()
    return defs
