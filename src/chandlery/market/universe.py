"""The default universe: 51 stocks and 12 crypto pairs, with what is known for certain of their listing and tickers.

A date stands here only where the first day of trading, or of a new ticker, is a matter of public record; elsewhere the
source is asked or the date stays open.
"""

from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True, slots=True)
class KnownInstrument:
    """One member; `tickers` are (ticker, first day under it), ascending, the last one being `symbol`.

    Empty `tickers`: nothing is known before today. The first day of the first ticker is the listing.
    """

    symbol: str
    tickers: tuple[tuple[str, date], ...] = ()

    @property
    def listed_on(self) -> date | None:
        """First day of trading, None where it is not known."""
        return self.tickers[0][1] if self.tickers else None


def _listed(symbol: str, *day: int) -> KnownInstrument:
    return KnownInstrument(symbol, ((symbol, date(*day)),))


_RENAMED = (
    KnownInstrument("META", (("FB", date(2012, 5, 18)), ("META", date(2022, 6, 9)))),
    KnownInstrument("XYZ", (("SQ", date(2015, 11, 19)), ("XYZ", date(2025, 1, 21)))),
    # Class A gave its ticker to the new class C, which is another instrument: GOOG below.
    KnownInstrument("GOOGL", (("GOOG", date(2004, 8, 19)), ("GOOGL", date(2014, 4, 3)))),
    KnownInstrument("QQQ", (("QQQ", date(1999, 3, 10)), ("QQQQ", date(2004, 12, 1)), ("QQQ", date(2011, 3, 23)))),
)
_DATED = (
    _listed("AAPL", 1980, 12, 12),
    _listed("ABNB", 2020, 12, 10),
    _listed("AMZN", 1997, 5, 15),
    _listed("AVGO", 2009, 8, 6),
    _listed("COIN", 2021, 4, 14),
    _listed("CRM", 2004, 6, 23),
    _listed("CSCO", 1990, 2, 16),
    _listed("GOOG", 2014, 4, 3),
    _listed("GS", 1999, 5, 4),
    _listed("INTC", 1971, 10, 13),
    _listed("MA", 2006, 5, 25),
    _listed("MSFT", 1986, 3, 13),
    _listed("MSTR", 1998, 6, 11),
    _listed("NFLX", 2002, 5, 23),
    _listed("NVDA", 1999, 1, 22),
    _listed("ORCL", 1986, 3, 12),
    _listed("PLTR", 2020, 9, 30),
    _listed("PYPL", 2015, 7, 20),
    _listed("ROKU", 2017, 9, 28),
    _listed("SHOP", 2015, 5, 21),
    _listed("SNOW", 2020, 9, 16),
    _listed("SOFI", 2021, 6, 1),
    _listed("SPY", 1993, 1, 29),
    _listed("TSLA", 2010, 6, 29),
    _listed("UBER", 2019, 5, 10),
    _listed("V", 2008, 3, 19),
)
_UNDATED = (
    *("ADBE", "AMD", "BA", "BAC", "BRK.B", "COST", "DIS", "HD", "IBM", "JNJ", "JPM", "KO", "LLY", "MS", "MU", "PFE"),
    *("QCOM", "TXN", "UNH", "WMT", "XOM"),
)
_PAIRS = ("ADA", "AVAX", "BCH", "BTC", "DOGE", "DOT", "ETH", "LINK", "LTC", "SOL", "UNI", "XRP")

DEFAULT_UNIVERSE: tuple[KnownInstrument, ...] = (
    *sorted((*_RENAMED, *_DATED, *(KnownInstrument(symbol) for symbol in _UNDATED)), key=lambda member: member.symbol),
    *(KnownInstrument(f"X:{coin}USD") for coin in _PAIRS),
)
"""The 63 members, stocks before crypto, by symbol."""


def known_instrument(symbol: str) -> KnownInstrument | None:
    """Return what is known of a member of the default universe, None for any other symbol."""
    return next((member for member in DEFAULT_UNIVERSE if member.symbol == symbol), None)
