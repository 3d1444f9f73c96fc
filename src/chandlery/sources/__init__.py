"""Sources: where bars and corporate actions come from.

What belongs here: the `BarSource` protocol, its implementations, the gate they pass, the tapes and the stand-in that
serves them over the vendor's own REST paths. What does not: judging bars (`quality/`), keeping them (`store/`),
deciding what to fetch and when (`steps/`, `orchestration/`). Steps, the command line and Dagster resources may import
it; no pure room may. Importing it loads neither a web framework nor pandas.
"""

from urllib.parse import urlsplit

from pydantic import SecretStr

from chandlery.errors import ConfigError
from chandlery.settings import MassiveSettings, Settings
from chandlery.sources._backoff import Backoff
from chandlery.sources.breaker import Breaker
from chandlery.sources.flatfiles import FlatFile, FlatFiles
from chandlery.sources.gate import Gate
from chandlery.sources.local_gate import LocalGate, OpenGate
from chandlery.sources.massive import MassiveSource
from chandlery.sources.pacing import pace_of
from chandlery.sources.protocol import BarBatch, BarSource, Dividend, Holiday, Listing, MarketDay, Split, TickerChange

__all__ = [
    "Backoff",
    "BarBatch",
    "BarSource",
    "Dividend",
    "FlatFile",
    "FlatFiles",
    "Gate",
    "Holiday",
    "Listing",
    "LocalGate",
    "MarketDay",
    "MassiveSource",
    "OpenGate",
    "Split",
    "TickerChange",
    "breaker_of",
    "host_of",
    "open_source",
]

_REPLAY_KEY = SecretStr("stand-in")


def open_source(settings: Settings, *, replay_url: str | None = None, gate: Gate | None = None) -> BarSource:
    """Return the source the settings name; the caller closes it.

    Args:
        settings: `resolved_source` decides between the vendor and the stand-in.
        replay_url: where the stand-in listens, if not at `settings.provider.port` of this machine. It is
            ignored for the vendor.
        gate: what every request passes. Default: for the vendor a gate of this process alone, so use
            `steps.source.open_shared_source` wherever there is a warehouse; for the stand-in none.

    Raises:
        ConfigError: if the vendor is chosen without an API key, or a base URL is malformed.
    """
    vendor = settings.massive
    is_replay = settings.resolved_source == "replay"
    key = _REPLAY_KEY if is_replay else settings.vendor_key
    if key is None:
        raise ConfigError("The source is massive and no API key was found; set POLYGON_API_KEY.")
    base_url = (replay_url or f"http://127.0.0.1:{settings.provider.port}") if is_replay else vendor.base_url
    return MassiveSource(
        base_url=base_url,
        api_key=key,
        gate=gate or (OpenGate() if is_replay else _local_gate(vendor)),
        retries=vendor.retries,
        timeout_s=vendor.timeout_s,
        backoff=Backoff(vendor.backoff, vendor.backoff_base_s),
    )


def host_of(base_url: str) -> str:
    """Return the host of a base URL, with its port if it names one: one gate for each."""
    return urlsplit(base_url).netloc


def breaker_of(vendor: MassiveSettings) -> Breaker:
    """Return the circuit breaker of the settings; a probe is given up when no request can still be under way."""
    return Breaker(
        failures=vendor.breaker_failures,
        open_s=vendor.breaker_open_s,
        probe_s=max(vendor.breaker_open_s, 2.0 * vendor.timeout_s),
    )


def _local_gate(vendor: MassiveSettings) -> LocalGate:
    return LocalGate(host=host_of(vendor.base_url), pace=pace_of(vendor.calls_per_minute), breaker=breaker_of(vendor))
