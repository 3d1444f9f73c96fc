"""Exports as assets: a partition asks for its strategy and universe; the clean-up tells what it removed."""

import os
import warnings
from datetime import timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from chandlery.clock import now
from chandlery.settings import Settings
from chandlery.steps.study_exports import StoredExport
from chandlery.store.exports import Export


def materialized(asset: Any, *, partition: str | None = None, **resources: Any) -> dict[str, Any]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with dg.DagsterInstance.ephemeral() as instance:
            instance.add_dynamic_partitions("universe", ["AAPL@1h"])
            result = dg.materialize([asset], instance=instance, partition_key=partition, resources=resources)
    (event,) = result.asset_materializations_for_node(asset.node_def.name)
    return {name: value.value for name, value in event.metadata.items()}


def test_partition_exports_its_strategy_on_its_universe(
    location: dg.Definitions, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert location is not None
    from orchestration.assets import exports
    from orchestration.partitions import study_partition

    asked: list[dict[str, str]] = []

    def made(_warehouse: object, _settings: Settings, **partition: str) -> tuple[StoredExport, ...]:
        asked.append(partition)
        row = Export(
            export_id="0" * 32,
            study_id="study",
            kind="pdf",
            file_name="roc.pdf",
            mime_type="application/pdf",
            size=7,
            sha256="ab",
            path="roc.pdf",
            created_at=now(),
            expires_at=None,
        )
        return (StoredExport(row, Path("/exports/roc.pdf")),)

    monkeypatch.setattr(exports, "export_universe", made)
    told = materialized(
        exports.study_exports,
        partition=study_partition("roc", "AAPL@1h"),
        settings=Settings(_env_file=None),
        warehouse=object(),
    )
    assert asked == [{"strategy": "roc", "universe": "AAPL@1h"}]
    assert (told["dagster/row_count"], told["study_id"], told["report"]) == (1, "study", "/exports/roc.pdf")
    assert "roc.pdf" in told["exports"]


def test_clean_up_tells_what_it_removed(location: dg.Definitions, warehouse: Any, tmp_path: Path) -> None:
    assert location is not None
    from orchestration.assets import exports

    folder = tmp_path / "exports" / ("a" * 32)
    folder.mkdir(parents=True)
    (folder / "lost.pdf").write_bytes(b"lost")
    os.utime(folder, times=((now() - timedelta(days=2)).timestamp(),) * 2)
    settings = Settings.model_validate({"home": str(tmp_path)})
    told = materialized(exports.exports_cleanup, settings=settings, warehouse=warehouse)
    assert {name: told[name] for name in ("expired", "orphans", "freed_bytes")} == {
        "expired": 0,
        "orphans": 1,
        "freed_bytes": 4,
    }
    assert not folder.exists()
