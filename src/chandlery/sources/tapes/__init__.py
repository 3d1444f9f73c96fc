"""Tapes: folders of recorded bars, and the one that is built from an installed data package.

What belongs here: reading a tape folder, building the bundled tape. What does not: serving it
(`sources.standin`) and judging it (`quality/`): a tape may well hold the defects of its publisher. The
stand-in, the command line and benchmarks may import it.
"""

from chandlery.sources.tapes._reels import Reel, find_reels
from chandlery.sources.tapes.bundled import ensure_bundled_tape
from chandlery.sources.tapes.tape import Tape, TapeListing
from chandlery.sources.tapes.tickers import TickerProfile

__all__ = ["Reel", "Tape", "TapeListing", "TickerProfile", "ensure_bundled_tape", "find_reels"]
