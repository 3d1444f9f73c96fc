import subprocess
import sys
from datetime import date
from pathlib import Path

import httpx

from chandlery.market.timeframes import Timeframe
from chandlery.settings import MassiveSettings, ProviderSettings, Settings
from chandlery.sources import open_source
from chandlery.sources.standin import running
from chandlery.sources.tapes import Tape


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


def test_importing_sources_loads_no_web_framework_and_no_pandas() -> None:
    program = "import sys, chandlery.sources, chandlery.sources.massive; print(*sys.modules)"
    answer = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)
    assert not set(answer.stdout.split()) & {"fastapi", "starlette", "uvicorn", "pandas", "pyarrow", "jsonschema"}


def test_only_one_file_knows_the_http_library() -> None:
    folder = Path(__file__).resolve().parents[3] / "src" / "chandlery" / "sources"
    users = [path.name for path in folder.rglob("*.py") if "import httpx" in path.read_text(encoding="utf-8")]
    assert users == ["_http.py"]
