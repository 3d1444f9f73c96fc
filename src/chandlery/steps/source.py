"""Open what bars come from, behind gates that all processes of a warehouse share."""

from chandlery.errors import ConfigError
from chandlery.settings import Settings
from chandlery.sources import Backoff, FlatFiles, OpenGate, breaker_of, host_of, open_source
from chandlery.sources.breaker import Breaker
from chandlery.sources.pacing import Pace, pace_of
from chandlery.sources.protocol import BarSource
from chandlery.sources.turnstile import Turnstile
from chandlery.store.gate import GateLedger
from chandlery.store.warehouse import Warehouse

_FLAT_FILES_A_SECOND = 10
"""Files do not count against a plan's calls; a mirror is spared all the same."""


def open_shared_source(settings: Settings, warehouse: Warehouse, *, replay_url: str | None = None) -> BarSource:
    """Return the source the settings name; the caller closes it.

    For the vendor, pace and circuit breaker hold over all processes that use this warehouse, and every request is
    logged in `ops.requests`; the stand-in is asked without a gate.

    Args:
        settings: `resolved_source` decides between the vendor and the stand-in.
        warehouse: where the gate's state lies.
        replay_url: where the stand-in listens (see `open_source`).

    Raises:
        ConfigError: if the vendor is chosen without an API key, or a base URL is malformed.
    """
    if settings.resolved_source == "replay":
        return open_source(settings, replay_url=replay_url)
    vendor = settings.massive
    gate = shared_gate(warehouse, host_of(vendor.base_url), pace_of(vendor.calls_per_minute), breaker_of(vendor))
    return open_source(settings, gate=gate)


def open_shared_flat_files(settings: Settings, warehouse: Warehouse) -> FlatFiles:
    """Return the reader of the vendor's flat files; the caller closes it.

    Raises:
        ConfigError: the settings name no place, or a malformed one.
    """
    vendor = settings.massive
    if not vendor.flat_files:
        raise ConfigError(
            "Flat files were asked for and the settings name no place of them; set CHANDLERY_MASSIVE__FLAT_FILES to a "
            "folder or to the base URL of a mirror that holds us_stocks_sip."
        )
    host = host_of(vendor.flat_files)
    pace = pace_of(_FLAT_FILES_A_SECOND * 60)
    return FlatFiles(
        vendor.flat_files,
        gate=shared_gate(warehouse, host, pace, breaker_of(vendor)) if host else OpenGate(),
        retries=vendor.retries,
        timeout_s=vendor.timeout_s,
        backoff=Backoff(vendor.backoff, vendor.backoff_base_s),
    )


def shared_gate(warehouse: Warehouse, host: str, pace: Pace, breaker: Breaker | None) -> Turnstile:
    """Return a gate whose pace and circuit breaker all processes of a warehouse share."""
    return Turnstile(GateLedger(warehouse, host), host=host, pace=pace, breaker=breaker)
