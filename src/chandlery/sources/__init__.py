"""Sources: where bars and corporate actions come from.

What belongs here: the `BarSource` protocol, its implementations, the tapes and the stand-in that serves them
over the vendor's own REST paths. What does not: judging bars (`quality/`), keeping them (`store/`), deciding
what to fetch and when (`steps/`, `orchestration/`). Steps, the command line and Dagster resources may import
it; no pure room may. Importing it loads neither a web framework nor pandas.
"""

from pydantic import SecretStr

from chandlery.errors import ConfigError
from chandlery.settings import Settings
from chandlery.sources.massive import MassiveSource
from chandlery.sources.protocol import BarBatch, BarSource, Listing, Split

__all__ = ["BarBatch", "BarSource", "Listing", "MassiveSource", "Split", "open_source"]

_REPLAY_KEY = SecretStr("stand-in")
_REPLAY_CALLS_PER_MINUTE = 600_000.0
_REPLAY_BURST = 1000


def open_source(settings: Settings, *, replay_url: str | None = None) -> BarSource:
    """Return the source the settings name; the caller closes it.

    Args:
        settings: `resolved_source` decides between the vendor and the stand-in.
        replay_url: where the stand-in listens, if not at `settings.provider.port` of this machine. It is
            ignored for the vendor.

    Raises:
        ConfigError: if the vendor is chosen without an API key, or a base URL is malformed.
    """
    vendor = settings.massive
    if settings.resolved_source == "replay":
        return MassiveSource(
            base_url=replay_url or f"http://127.0.0.1:{settings.provider.port}",
            api_key=_REPLAY_KEY,
            calls_per_minute=_REPLAY_CALLS_PER_MINUTE,
            burst=_REPLAY_BURST,
            retries=vendor.retries,
            timeout_s=vendor.timeout_s,
        )
    if settings.vendor_key is None:
        raise ConfigError("The source is massive and no API key was found; set POLYGON_API_KEY.")
    return MassiveSource(
        base_url=vendor.base_url,
        api_key=settings.vendor_key,
        calls_per_minute=vendor.calls_per_minute,
        burst=vendor.burst,
        retries=vendor.retries,
        timeout_s=vendor.timeout_s,
    )
