"""Recorded responses: each file is reached by its own address, and refusals are played as they were seen."""

import json
from pathlib import Path
from urllib.parse import quote

import pytest

from chandlery.errors import BadTape
from chandlery.sources.standin import Received, ask, create_recorded_app, recorded_refusal
from chandlery.sources.standin.faults import FaultScript, Planned

KEY = {"Authorization": "Bearer any"}


def test_every_recorded_file_is_answered_byte_for_byte_at_the_address_its_name_says(data: Path) -> None:
    folder = data / "polygon/client_python"
    app = create_recorded_app(folder)
    files = sorted(folder.rglob("*.json"))
    assert len(files) == 33
    for file in files:
        # The rules of the folder's own guide, the other way round than the app reads them.
        name = str(file.relative_to(folder)).replace(";", ":", 1)[: -len(".json")]
        url = "/" + name.replace("&", "?", 1).replace("tickers/index", "tickers")
        answer = ask(app, url, headers=KEY)
        assert (answer.status, answer.content) == (200, file.read_bytes()), url


@pytest.mark.parametrize(
    ("query", "cap"),
    [("", 2488795282370), ("?date=2020-10-01&more=1", 1916103105630), ("?date=2021-01-01", 2488795282370)],
)
def test_query_that_agrees_in_most_parameters_wins(data: Path, query: str, cap: int) -> None:
    app = create_recorded_app(data / "polygon/client_python")
    body = json.loads(ask(app, f"/v3/reference/tickers/AAPL{query}", headers=KEY).content)
    assert body["results"]["market_cap"] == cap


def test_what_was_not_recorded_is_404_and_no_key_401(data: Path) -> None:
    app = create_recorded_app(data / "polygon/client_python")
    assert ask(app, "/v3/reference/tickers/BA", headers=KEY).status == 404
    assert ask(app, "/v3/reference/splits").status == 401
    assert ask(app, f"/v3/reference/splits?apiKey={quote('k')}").status == 200


def test_every_recorded_refusal_is_played_as_it_was_seen(data: Path) -> None:
    files = sorted((data / "polygon/errors").glob("*.json"))
    assert len(files) == 11
    journal: list[Received] = []
    script = FaultScript({number: recorded_refusal(file) for number, file in enumerate(files, start=1)})
    app = create_recorded_app(data / "polygon/client_python", faults=script, journal=journal)
    for file in files:
        seen = json.loads(file.read_text(encoding="utf-8"))
        answer = ask(app, "/v3/reference/splits", headers=KEY)
        assert (answer.status, json.loads(answer.content)) == (seen["http_status"], seen["body"])
    assert [received.fault for received in journal] == [file.stem for file in files]
    assert ask(app, "/v3/reference/splits", headers=KEY).status == 200


def test_recorded_answers_do_not_change(data: Path) -> None:
    from chandlery.sources.standin.faults import FAULTS

    script = FaultScript(planned=(Planned(FAULTS["duplicate_split"].make()),))
    app = create_recorded_app(data / "polygon/client_python", faults=script)
    assert ask(app, "/v3/reference/splits?ticker=SHOP", headers=KEY).status == 200


@pytest.mark.parametrize("make", [lambda folder: folder / "absent", lambda folder: folder])
def test_folder_without_recordings_is_a_bad_tape(tmp_path: Path, make: object) -> None:
    with pytest.raises(BadTape, match="Recorded responses"):
        create_recorded_app(make(tmp_path))  # type: ignore[operator]


@pytest.mark.parametrize("text", ["{}", "no json", '{"http_status": "many", "body": {}}', '{"http_status": 429}'])
def test_file_that_is_no_refusal_is_a_bad_tape(tmp_path: Path, text: str) -> None:
    (tmp_path / "r.json").write_text(text, encoding="utf-8")
    with pytest.raises(BadTape, match="http_status"):
        recorded_refusal(tmp_path / "r.json")
