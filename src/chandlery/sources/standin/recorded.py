"""Recorded responses: an app that answers from a folder of the vendor's own bodies.

A file's path is the URL's path: the first `&` of a name stands for `?`, `;` for `:`, `index.json` for the bare path,
and `.json` is dropped. Every file was answered with HTTP 200; refusals lie in a folder of their own, one JSON object
with `http_status` and `body` each, and are played as faults.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qsl

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from chandlery import clock
from chandlery.errors import BadTape
from chandlery.sources.standin.answers import json_answer
from chandlery.sources.standin.faults import Fault, FaultScript
from chandlery.sources.standin.faults.player import FaultyApp
from chandlery.sources.standin.handlers import has_key
from chandlery.sources.standin.journal import JournalApp, Received

_SUFFIX = ".json"


@dataclass(frozen=True, slots=True)
class Recording:
    """One recorded answer and the query it belongs to; an empty one answers every query of its path."""

    query: Mapping[str, str]
    file: Path


class Recordings:
    """The recorded answers of a folder by path."""

    def __init__(self, folder: Path) -> None:
        if not folder.is_dir():
            raise BadTape(f"Recorded responses were looked for in {folder}; that is no folder.")
        self._by_path: dict[str, list[Recording]] = {}
        for file in sorted(folder.rglob(f"*{_SUFFIX}")):
            path, query = _address(file.relative_to(folder))
            self._by_path.setdefault(path, []).append(Recording(query, file))
        if not self._by_path:
            raise BadTape(f"Recorded responses were looked for in {folder}; it holds no {_SUFFIX} file.")

    @property
    def paths(self) -> tuple[str, ...]:
        """The paths with a recording, ascending."""
        return tuple(sorted(self._by_path))

    def find(self, path: str, query: Mapping[str, str]) -> Path | None:
        """Return the recording whose query agrees with the request in most parameters and differs in none."""
        asked = {name: value for name, value in query.items() if name != "apiKey"}
        fitting = [row for row in self._by_path.get(path, []) if row.query.items() <= asked.items()]
        return max(fitting, key=lambda row: len(row.query)).file if fitting else None


def create_recorded_app(
    folder: Path,
    *,
    faults: FaultScript | None = None,
    journal: list[Received] | None = None,
) -> ASGIApp:
    """Return an app that answers from recorded bodies, byte for byte.

    Args:
        folder: laid out as this module says.
        faults: what goes wrong, and when; None: nothing.
        journal: where to write down every request; None: nowhere.

    Raises:
        BadTape: if the folder is none or holds no recording.
    """
    recordings = Recordings(folder)

    async def answering(scope: Scope, receive: Receive, send: Send) -> None:
        await _answer(recordings, Request(scope))(scope, receive, send)

    app: ASGIApp = answering
    if faults is not None:
        app = FaultyApp(app, faults, holdings=None, now=clock.now, sleep=asyncio.sleep)
    return app if journal is None else JournalApp(app, journal, clock.now)


def recorded_refusal(file: Path) -> Fault:
    """Return the fault that plays one recorded refusal.

    Raises:
        BadTape: if the file does not hold `http_status` and `body`.
    """
    try:
        row = orjson.loads(file.read_bytes())
        return Fault(status=int(row["http_status"]), body=orjson.dumps(row["body"]), name=file.stem)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise BadTape(f"{file} was read as a recorded refusal; {error!r}. It needs http_status and body.") from error


def _answer(recordings: Recordings, request: Request) -> Response:
    if not has_key(request):
        return json_answer({"status": "ERROR", "error": "API Key was not provided"}, status=401)
    file = recordings.find(request.url.path, request.query_params)
    if file is None:
        return json_answer({"status": "NOT_FOUND", "message": "Nothing was recorded for this request."}, status=404)
    return Response(file.read_bytes(), media_type="application/json")


def _address(place: Path) -> tuple[str, Mapping[str, str]]:
    path, _, query = place.as_posix().removesuffix(_SUFFIX).partition("&")
    return "/" + path.removesuffix("/index").replace(";", ":"), dict(parse_qsl(query))
