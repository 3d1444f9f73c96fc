"""Wire: answers that come late, in part, or not at all."""

from chandlery.sources.standin.faults.fault import Fault


def slow(seconds: float) -> Fault:
    """The right answer after a wait."""
    return Fault(delay_s=seconds)


def read_timeout(seconds: float = 120.0) -> Fault:
    """An answer that comes later than any client waits."""
    return slow(seconds)


def connection_dropped() -> Fault:
    """The connection is closed before the first byte of an answer, as by a provider that cannot be reached."""
    return Fault(closes_after=0.0)


def closed_in_mid_body(share: float = 0.5) -> Fault:
    """The whole length is announced, a part is sent, then the connection is closed."""
    return Fault(closes_after=share)


def truncated(keep: float = 0.5) -> Fault:
    """The right answer, cut off inside the JSON, as a well-formed shorter message."""
    return Fault(keep=keep)
