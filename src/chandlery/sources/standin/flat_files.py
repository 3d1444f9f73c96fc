"""Flat files: the vendor's csv.gz tree over HTTP, made from the holdings when asked for.

A file exists for every day that has a bar of a stock; like the vendor's it is replaced when its bars change, which
shows in its ETag. No key is asked for: the vendor's tree wants signed requests, and what stands here for a mirror of
it must not be sent the key of the REST API.
"""

import gzip
import hashlib
from collections import OrderedDict
from dataclasses import dataclass
from datetime import date, timedelta

import polars as pl
from starlette.requests import Request
from starlette.responses import Response

from chandlery.market.symbols import AssetClass
from chandlery.market.timeframes import Timeframe
from chandlery.sources.sessions import local_midnight
from chandlery.sources.standin.handlers import Site
from chandlery.sources.standin.holdings import Holdings

FLAT_FILE_PATH = "/flatfiles/us_stocks_sip/{kind}/{year}/{month}/{name}"
KINDS = {"minute_aggs_v1": Timeframe.M1, "day_aggs_v1": Timeframe.D1}
_SUFFIX = ".csv.gz"
_KEPT_FILES = 16
_NANOSECONDS = 1_000_000


@dataclass(frozen=True, slots=True)
class FlatFile:
    """One file and the tag that changes with its bytes."""

    content: bytes
    etag: str


class FlatFiles:
    """Answers with flat files; the last few are kept."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._kept: OrderedDict[tuple[Timeframe, date, int], FlatFile | None] = OrderedDict()

    async def answer(self, request: Request) -> Response:
        """Answer GET and HEAD; 304 if `If-None-Match` names the file as it is."""
        if not self._site.guard.has_flat_files():
            return _refused(403, "AccessDenied", "Access Denied")
        asked = asked_file(request.url.path)
        found = None
        if asked is not None and self._site.guard.is_file_published(asked[1]):
            found = self._file(*asked)
        if found is None:
            return _refused(404, "NoSuchKey", "The specified key does not exist.")
        headers = {"ETag": found.etag, "Accept-Ranges": "bytes"}
        if found.etag in (tag.strip() for tag in request.headers.get("if-none-match", "").split(",")):
            return Response(status_code=304, headers=headers)
        headers["Content-Length"] = str(len(found.content))
        content = b"" if request.method == "HEAD" else found.content
        return Response(content, headers=headers, media_type="application/gzip")

    def _file(self, timeframe: Timeframe, day: date) -> FlatFile | None:
        key = (timeframe, day, self._site.holdings.revision)
        if key not in self._kept:
            self._kept[key] = self._made(timeframe, day)
            while len(self._kept) > _KEPT_FILES:
                self._kept.popitem(last=False)
        return self._kept[key]

    def _made(self, timeframe: Timeframe, day: date) -> FlatFile | None:
        rows = file_rows(self._site.holdings, timeframe, day)
        if not rows.height:
            return None
        content = gzip.compress(rows.write_csv().encode(), compresslevel=6, mtime=0)
        return FlatFile(content, f'"{hashlib.md5(content, usedforsecurity=False).hexdigest()}"')


def asked_file(path: str) -> tuple[Timeframe, date] | None:
    """Return what a path names, None if no flat file can have it."""
    parts = path.strip("/").split("/")
    if len(parts) != 6 or parts[:2] != ["flatfiles", "us_stocks_sip"] or parts[2] not in KINDS:
        return None
    _, _, kind, year, month, name = parts
    try:
        day = date.fromisoformat(name.removesuffix(_SUFFIX))
    except ValueError:
        return None
    is_named_right = name == f"{day.isoformat()}{_SUFFIX}" and (year, month) == (f"{day:%Y}", f"{day:%m}")
    return (KINDS[kind], day) if is_named_right else None


def file_rows(holdings: Holdings, timeframe: Timeframe, day: date) -> pl.DataFrame:
    """Return the rows of one file, ascending by ticker and time; transactions are null where unknown."""
    parts = []
    for listing in holdings.listings():
        if listing.asset_class is AssetClass.STOCKS:
            frame = holdings.frame(listing.symbol, timeframe)
            start, end = (local_midnight(moment, listing.symbol) for moment in (day, day + timedelta(days=1)))
            first, last = (frame["t"].search_sorted(t, side="left") for t in (start, end))
            if last > first:
                parts.append(frame.slice(first, last - first).with_columns(ticker=pl.lit(listing.symbol)))
    if not parts:
        return pl.DataFrame()
    volume = pl.col("volume")
    is_whole = volume.is_finite() & (volume == volume.floor()) & (volume.abs() < 2**53)
    whole = pl.when(is_whole).then(volume).cast(pl.Int64).cast(pl.String)
    return pl.concat(parts).select(
        "ticker",
        pl.coalesce(whole, volume.cast(pl.String)).alias("volume"),
        "open",
        "close",
        "high",
        "low",
        (pl.col("t") * _NANOSECONDS).alias("window_start"),
        pl.col("trade_count").alias("transactions"),
    )


def _refused(status: int, code: str, message: str) -> Response:
    text = f'<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>{code}</Code><Message>{message}</Message></Error>'
    return Response(text, status_code=status, media_type="application/xml")
