"""Scripts: which fault is played when, in Python or as a JSON file.

```json
{"faults": [
  {"fault": "rate_limited", "request": 3},
  {"fault": "server_error_502", "path": "/v2/aggs/ticker/AAPL/*", "nth": 2, "times": 3},
  {"fault": "bar_revised", "path": "/v2/aggs/*", "nth": 2},
  {"fault": "late_split", "at": "2026-11-03T12:00:00Z",
   "with": {"symbol": "AAPL", "execution_date": "2016-05-02", "split_from": 1, "split_to": 4}}
]}
```
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError, validate_call

from chandlery.errors import ConfigError, InvalidInput
from chandlery.sources.standin.faults.fault import Fault
from chandlery.sources.standin.faults.registry import FAULTS


@dataclass(frozen=True, slots=True)
class Planned:
    """A fault and the requests it is meant for: those that fit all conditions, counted from 1."""

    fault: Fault
    path: str = "*"
    """Shell pattern on the path; with a `?` in it, on path and query."""
    nth: int = 1
    """The first fitting request that is hit."""
    times: int = 1
    """How many fitting requests in a row are hit; 0: all from the first one on. A change is made once."""
    request: int | None = None
    """Number of the one request that fits, counted over all requests of the app."""
    at: datetime | None = None
    """Requests before this instant of the stand-in's clock do not fit."""

    def fits(self, *, number: int, path: str, target: str, now: datetime) -> bool:
        """Return whether a request is one of those counted."""
        if self.request is not None and self.request != number:
            return False
        if self.at is not None and now < self.at:
            return False
        return fnmatchcase(target if "?" in self.path else path, self.path)

    def is_due(self, count: int) -> bool:
        """Return whether the fitting request number `count` is hit."""
        return count >= self.nth and (self.times == 0 or count < self.nth + self.times)


@dataclass(frozen=True, slots=True)
class FaultScript:
    """Faults by request number, counted from 1 over all requests of the app, and faults by condition.

    Of several faults due at one request the one by number is played, else the first planned one; changes are
    made besides.
    """

    faults: Mapping[int, Fault] = field(default_factory=dict)
    planned: tuple[Planned, ...] = ()


class _Line(BaseModel):
    model_config = ConfigDict(extra="forbid")
    fault: str
    path: str = "*"
    nth: int = Field(1, ge=1)
    times: int = Field(1, ge=0)
    request: int | None = Field(None, ge=1)
    at: AwareDatetime | None = None
    given: dict[str, Any] = Field(default_factory=dict, alias="with")


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid")
    faults: tuple[_Line, ...]


def read_script(path: Path) -> FaultScript:
    """Return the script of a JSON file.

    Raises:
        ConfigError: if the file cannot be read, is laid out otherwise, names an unknown fault or gives a fault
            what it does not take.
    """
    try:
        lines = _File.model_validate_json(path.read_bytes()).faults
    except OSError as error:
        raise ConfigError(f"The fault script {path} was to be read; {error.strerror}.") from error
    except ValidationError as error:
        raise ConfigError(f"The fault script {path} was read; {error}. See the how-to on tapes.") from error
    return FaultScript(planned=tuple(_planned(path, place, line) for place, line in enumerate(lines, start=1)))


def _planned(path: Path, place: int, line: _Line) -> Planned:
    kind = FAULTS.get(line.fault)
    if kind is None:
        known = ", ".join(FAULTS)
        raise ConfigError(f"Line {place} of the fault script {path} plays {line.fault!r}; known faults are {known}.")
    try:
        fault = validate_call(kind.build)(**line.given)
    except (ValidationError, InvalidInput) as error:
        raise ConfigError(f"Line {place} of the fault script {path} plays {line.fault}; {error}") from error
    return Planned(
        replace(fault, name=kind.name),
        path=line.path,
        nth=line.nth,
        times=line.times,
        request=line.request,
        at=line.at,
    )
