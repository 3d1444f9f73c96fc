"""The export store: files of a real study, kept for a while, made again when altered, removed when over."""

import hashlib
import io
import json
import os
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from pdf_reader import pages_of

from chandlery.errors import ExportExpired, InvalidInput, NotFound, ResearchError
from chandlery.settings import Settings
from chandlery.steps.studies import run_requested_study
from chandlery.steps.study_documents import Kind, Selected, make_document, study_report
from chandlery.steps.study_exports import (
    clean_exports,
    export_universe,
    find_export,
    list_study_exports,
    make_export,
)
from chandlery.steps.study_jobs import submit_study
from chandlery.steps.study_request import StudyRequest
from chandlery.store.study_reads import find_study, read_evaluations, read_trades

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


class Desk:
    """A warehouse with one finished study of 60 candidates, and the settings of an empty export store."""

    def __init__(self, warehouse: Any, home: Path) -> None:
        self.warehouse = warehouse
        self.settings = Settings.model_validate({"home": str(home)})
        request = StudyRequest(strategy="rsi_revert", symbol="AAPL", trials=60, seed=3, fee_bps=5.0, slippage_bps=2.0)
        job = submit_study(warehouse, request, created_by="tester", priority=5)
        self.study_id = run_requested_study(warehouse, self.settings, request, job=job, run_id="run-1").study_id

    @property
    def root(self) -> Path:
        return self.settings.exports_dir

    def make(self, kind: Kind = Kind.JSON, *, now: datetime = NOON, **choices: Any) -> Any:
        return make_export(self.warehouse, self.settings, self.study_id[:10], kind, now=now, **choices)

    def find(self, export_id: str, *, now: datetime = NOON) -> Any:
        return find_export(self.warehouse, self.settings, export_id, now=now)


@pytest.fixture(scope="module")
def desk(priced: Any, tmp_path_factory: pytest.TempPathFactory) -> Desk:
    return Desk(priced.warehouse, tmp_path_factory.mktemp("home"))


@pytest.fixture(autouse=True)
def _forget_exports(priced: Any, tell: Any) -> None:
    tell(priced.warehouse, "delete from research.exports")


def test_file_row_and_checksum_belong_together_below_an_unguessable_id(desk: Desk) -> None:
    made = [desk.make(kind) for kind in Kind]
    for stored in made:
        content, export = stored.path.read_bytes(), stored.export
        assert re.fullmatch(r"[0-9a-f]{32}", export.export_id)
        assert stored.path == desk.root / export.export_id / export.file_name
        assert (export.size, export.sha256) == (len(content), hashlib.sha256(content).hexdigest())
        assert (export.created_at, export.expires_at) == (NOON, NOON + 24 * HOUR)
        assert [file.name for file in stored.path.parent.iterdir()] == [export.file_name]
        assert desk.find(export.export_id) == stored
    assert len({stored.export.export_id for stored in made}) == len(Kind)
    assert {stored.export.export_id for stored in made} == {
        export.export_id for export in list_study_exports(desk.warehouse, desk.study_id)
    }


def test_same_content_is_the_same_export_until_it_ends_or_is_altered(desk: Desk) -> None:
    first = desk.make(Kind.PDF)
    assert desk.make(Kind.PDF, now=NOON + 23 * HOUR).export.export_id == first.export.export_id
    later = desk.make(Kind.PDF, now=NOON + 24 * HOUR)
    assert later.export.export_id != first.export.export_id
    assert later.path.read_bytes() == first.path.read_bytes()
    first.path.write_bytes(b"x" * first.export.size)
    assert desk.make(Kind.PDF, now=NOON).export.export_id == later.export.export_id


def test_export_that_is_over_gone_or_altered_says_how_to_make_it_again(desk: Desk) -> None:
    over, gone, altered = desk.make(Kind.TRADES_CSV), desk.make(Kind.PINE), desk.make(Kind.PDF)
    gone.path.unlink()
    altered.path.write_bytes(altered.path.read_bytes()[:-1] + b"?")
    with pytest.raises(ExportExpired, match=f"export csv {desk.study_id[:12]} --what trades"):
        desk.find(over.export.export_id, now=NOON + 24 * HOUR)
    with pytest.raises(ExportExpired, match=f"gone or was altered.*export pine {desk.study_id[:12]}"):
        desk.find(gone.export.export_id)
    with pytest.raises(ExportExpired, match=f"gone or was altered.*export pdf {desk.study_id[:12]}"):
        desk.find(altered.export.export_id)
    with pytest.raises(NotFound):
        desk.find("0" * 32)


def test_clean_up_removes_what_is_over_and_orphans_of_yesterday_only(desk: Desk) -> None:
    over, stays = desk.make(Kind.PDF, now=NOON - 24 * HOUR), desk.make(Kind.JSON)
    orphans = {age: desk.root / f"{age:032x}" for age in (1, 25)}
    for age, folder in orphans.items():
        folder.mkdir()
        (folder / "lost.pdf").write_bytes(b"lost")
        os.utime(folder, times=((NOON - age * HOUR).timestamp(),) * 2)
    foreign = desk.root / "notes"
    foreign.mkdir(exist_ok=True)
    os.utime(foreign, times=(0, 0))
    done = clean_exports(desk.warehouse, desk.settings, now=NOON)
    assert (done.expired, done.orphans, done.freed_bytes) == (1, 1, over.export.size + 4)
    assert (over.path.exists(), stays.path.exists(), foreign.exists()) == (False, True, True)
    assert (orphans[1].exists(), orphans[25].exists()) == (True, False)
    removed = {export.export_id: export.removed_at for export in list_study_exports(desk.warehouse)}
    assert removed == {over.export.export_id: NOON, stays.export.export_id: None}
    again = clean_exports(desk.warehouse, desk.settings, now=NOON)
    assert (again.expired, again.orphans, again.freed_bytes) == (0, 0, 0)


def test_tables_read_back_as_what_is_stored(desk: Desk) -> None:
    for name, stored in (
        ("trades", read_trades(desk.warehouse, desk.study_id)),
        ("evaluations", read_evaluations(desk.warehouse, desk.study_id)),
    ):
        assert stored.height > 3
        assert pl.read_parquet(desk.make(Kind(f"{name}_parquet")).path).equals(stored)
        text = pl.read_csv(io.BytesIO(desk.make(Kind(f"{name}_csv")).path.read_bytes()), try_parse_dates=True)
        assert text.columns == stored.columns
        for column in stored.columns:
            if stored[column].null_count() < stored.height:
                assert text[column].cast(stored[column].dtype).equals(stored[column]), column


def test_report_shows_the_study_that_is_stored(desk: Desk, ask: Any) -> None:
    study = find_study(desk.warehouse, desk.study_id)
    report = study_report(desk.warehouse, study)
    query = "select evidence, verdict, best_params, trials from research.studies where study_id = %s"
    evidence, verdict, best, trials = ask(desk.warehouse, query, desk.study_id)[0]
    assert json.loads(desk.make(Kind.JSON).path.read_bytes()) == report
    assert (report["best_params"], report["counts"]["trials"]) == (best, trials) == (best, 60)
    assert report["evidence"]["deflated_sharpe"] == pytest.approx(evidence["deflated_sharpe"], rel=1e-9)
    text = " ".join("\n".join(pages_of(desk.make(Kind.PDF).path.read_bytes())).split())
    for part in (verdict.partition(": ")[2][1:60], study.panel_id, study.definition_hash, "fee 5 bps, slippage 2 bps"):
        assert part in text
    assert f"{evidence['deflated_sharpe']:.3f}" in text


def test_script_carries_the_choice_its_costs_and_the_panel(desk: Desk) -> None:
    study = find_study(desk.warehouse, desk.study_id)
    choices = {choice["kind"]: choice["params"] for choice in (study.evidence or {})["choices"]}
    for choice in (kind for kind in Selected if kind.value in choices):
        script = desk.make(Kind.PINE, choice=choice).path.read_text()
        for name, value in choices[choice.value].items():
            assert re.search(rf"input\.\w+\({value:g}(\.0)?, \"{name}\"", script), (choice, name)
        assert study.panel_id in script
        # Slippage of 2 bps is part of the commission: Pine counts slippage in ticks.
        assert re.search(r"commission_value ?= ?0\.07\b", script)


def test_what_cannot_be_exported_says_why(desk: Desk, tell: Any) -> None:
    study = find_study(desk.warehouse, desk.study_id)
    with pytest.raises(InvalidInput, match="only a Pine script is of one choice"):
        make_document(desk.warehouse, study, Kind.PDF, choice=Selected.PLATEAU)
    change = "update research.studies set {} where study_id = '" + desk.study_id + "'"
    tell(desk.warehouse, change.format("definition_hash = 'other'"))
    try:
        with pytest.raises(ResearchError, match="does not hold any more"):
            desk.make(Kind.PINE)
        assert "no longer holds this definition" in desk.make(Kind.JSON).path.read_text()
    finally:
        tell(desk.warehouse, change.format(f"definition_hash = '{study.definition_hash}'"))
    tell(desk.warehouse, change.format("finished_at = null"))
    try:
        with pytest.raises(ResearchError, match="is not finished"):
            desk.make(Kind.PDF)
    finally:
        tell(desk.warehouse, change.format("finished_at = now()"))


def test_universe_is_exported_as_pdf_and_pine(desk: Desk) -> None:
    made = export_universe(desk.warehouse, desk.settings, strategy="rsi_revert", universe="AAPL")
    assert [stored.export.kind for stored in made] == ["pdf", "pine"]
    with pytest.raises(NotFound, match="has no finished study on AAPL@1h"):
        export_universe(desk.warehouse, desk.settings, strategy="rsi_revert", universe="AAPL@1h")
