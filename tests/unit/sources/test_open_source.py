import subprocess
import sys
from datetime import date
from pathlib import Path

import httpx
import pytest

from chandlery.errors import ConfigError, NotFound
from chandlery.market.timeframes import Timeframe
from chandlery.settings import DatabaseSettings, MassiveSettings, ProviderSettings, Settings
from chandlery.sources import Backoff, OpenGate, open_source
from chandlery.sources.breaker import Breaker
from chandlery.sources.flatfiles import flat_path
from chandlery.sources.gate import Sent
from chandlery.sources.standin import running
from chandlery.sources.tapes import Tape
from chandlery.steps.source import open_shared_flat_files, open_shared_source
from chandlery.store.warehouse import Warehouse


def _settings(**values: object) -> Settings:
    return Settings(_env_file=None, **values)


def test_replay_reads_the_stand_in_where_it_is_said_to_listen(recorded: Tape) -> None:
    with running(recorded) as url:
        source = open_source(_settings(source="replay"), replay_url=url)
        batch = source.fetch_bars("BA", Timeframe.D1, date(1997, 6, 2), date(1997, 6, 7))
        names = [listing.symbol for listing in source.list_instruments()]
        source.close()
    assert (batch.bars.height, batch.source) == (5, "wiki")
    assert names == ["AAPL", "BA", "EBAY", "GE", "MSFT", "SPY", "X:BTCUSD"]


def test_replay_without_address_uses_the_port_of_the_settings() -> None:
    source = open_source(_settings(source="replay", provider=ProviderSettings(port=8123)))
    assert source._client._base == httpx.URL("http://127.0.0.1:8123")
    source.close()


def test_vendor_is_opened_with_the_key_of_the_settings() -> None:
    source = open_source(_settings(massive=MassiveSettings(api_key="k-1")))
    assert source._client._base == httpx.URL("https://api.massive.com")
    assert source._client._client.headers["authorization"] == "Bearer k-1"
    source.close()


class _Clerk(OpenGate):
    def __init__(self) -> None:
        self.outcomes: list[str] = []

    def report(self, sent: Sent) -> None:
        self.outcomes.append(sent.outcome)


def test_gate_that_is_given_is_the_one_that_is_passed(recorded: Tape) -> None:
    clerk = _Clerk()
    with running(recorded) as url:
        source = open_source(_settings(source="replay"), replay_url=url, gate=clerk)
        source.fetch_splits("BA")
        source.close()
    assert clerk.outcomes == ["ok"]


def test_settings_name_pace_back_off_and_circuit_of_the_vendor() -> None:
    vendor = MassiveSettings(
        api_key="k-1",
        calls_per_minute=300,
        backoff="linear",
        backoff_base_s=2.0,
        breaker_failures=3,
        breaker_open_s=9.0,
    )
    source = open_source(_settings(massive=vendor))
    gate = source._client._gate
    assert (gate._pace.calls, gate._pace.per_s) == (5, 1.0)
    assert gate._breaker == Breaker(failures=3, open_s=9.0, probe_s=60.0)
    assert source._client._backoff == Backoff("linear", 2.0)
    source.close()


def test_stand_in_needs_no_shared_gate() -> None:
    source = open_shared_source(_settings(source="replay"), Warehouse(DatabaseSettings()))
    assert isinstance(source._client._gate, OpenGate)
    source.close()


def test_flat_files_without_a_place_are_a_config_error() -> None:
    with pytest.raises(ConfigError, match="CHANDLERY_MASSIVE__FLAT_FILES"):
        open_shared_flat_files(_settings(), Warehouse(DatabaseSettings()))


def test_flat_files_of_a_folder_need_no_gate(tmp_path: Path) -> None:
    files = open_shared_flat_files(
        _settings(massive=MassiveSettings(flat_files=str(tmp_path))), Warehouse(DatabaseSettings())
    )
    with pytest.raises(NotFound):
        files.fetch(flat_path(Timeframe.D1, date(2024, 1, 2)))
    files.close()


def test_importing_sources_loads_no_web_framework_and_no_pandas() -> None:
    program = "import sys, chandlery.sources, chandlery.sources.massive; print(*sys.modules)"
    answer = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)
    assert not set(answer.stdout.split()) & {"fastapi", "starlette", "uvicorn", "pandas", "pyarrow", "jsonschema"}


def test_only_one_file_knows_the_http_library() -> None:
    folder = Path(__file__).resolve().parents[3] / "src" / "chandlery" / "sources"
    users = [path.name for path in folder.rglob("*.py") if "import httpx" in path.read_text(encoding="utf-8")]
    assert users == ["_http.py"]
