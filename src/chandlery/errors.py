"""Every error chandlery raises on purpose.

```
ChandleryError
├── ConfigError            BadTape
├── InvalidInput
├── NotFound
├── SourceError            RateLimited  Unavailable  NotEntitled  BadPayload
├── StoreError             Conflict  NotMigrated  DatabaseDown
├── QualityError           Blocked  WrongState
├── ResearchError          UnknownStrategy  BadParameters  LookAhead  NotExportable  EmptySpace
│                          StudyRunning  StudyEnded  Fenced  ExportExpired
└── LimitBreached
```

Whether a retry can help (`retryable`), the stable word for machines (`code`) and the exit status of the
command line (`exit_code`) are facts of the class, so they live in one place. Messages say what was tried,
what was found and what to do. Only `orchestration/failures.py` and `api/errors.py` translate them.
"""

from typing import ClassVar


class ChandleryError(Exception):
    """Root of the tree; never raised itself."""

    retryable: ClassVar[bool] = False
    code: ClassVar[str] = "error"
    exit_code: ClassVar[int] = 1


class ConfigError(ChandleryError):
    """Settings, folders or ports that cannot work as given."""

    code = "config"
    exit_code = 2


class BadTape(ConfigError):
    """A tape folder that is absent, empty or laid out otherwise than documented."""

    code = "bad_tape"


class InvalidInput(ChandleryError):
    """A value of the caller's that is outside what is documented."""

    code = "invalid_input"
    exit_code = 2


class NotFound(ChandleryError):
    """A named thing that does not exist."""

    code = "not_found"
    exit_code = 3


class SourceError(ChandleryError):
    """A bar source did not deliver."""

    code = "source"
    exit_code = 4


class RateLimited(SourceError):
    """The source asked for patience (HTTP 429) longer than the retries allowed."""

    retryable = True
    code = "rate_limited"


class Unavailable(SourceError):
    """The source did not answer, or answered with a server error."""

    retryable = True
    code = "source_unavailable"


class NotEntitled(SourceError):
    """The source knows the request and refuses it: key, plan or time frame."""

    code = "not_entitled"


class BadPayload(SourceError):
    """The source answered something that is not the documented answer."""

    code = "bad_payload"


class StoreError(ChandleryError):
    """The warehouse refused or could not be reached."""

    code = "store"
    exit_code = 5


class Conflict(StoreError):
    """Another writer holds what this one needs."""

    retryable = True
    code = "conflict"


class NotMigrated(StoreError):
    """The warehouse stands at another schema version than this code."""

    code = "not_migrated"


class DatabaseDown(StoreError):
    """No connection to PostgreSQL."""

    retryable = True
    code = "database_down"


class QualityError(ChandleryError):
    """Bars did not pass the audit."""

    code = "quality"
    exit_code = 6


class Blocked(QualityError):
    """A batch was held by the gate: nothing of it was published."""

    code = "blocked"


class WrongState(QualityError):
    """A step that the state of a finding or of a repair does not allow."""

    code = "wrong_state"


class ResearchError(ChandleryError):
    """A study or a backtest cannot be run as asked."""

    code = "research"
    exit_code = 7


class UnknownStrategy(ResearchError):
    """No strategy of that name is registered."""

    code = "unknown_strategy"


class BadParameters(ResearchError):
    """Parameters outside their ranges or against a constraint."""

    code = "bad_parameters"


class LookAhead(ResearchError):
    """A definition that reads bars after the one it decides on."""

    code = "look_ahead"


class NotExportable(ResearchError):
    """A definition that the target of an export cannot express."""

    code = "not_exportable"


class EmptySpace(ResearchError):
    """A search space without a point: ranges and constraints contradict each other."""

    code = "empty_space"


class StudyRunning(ResearchError):
    """A study that a live run works on; only that run may continue it."""

    code = "study_running"


class StudyEnded(ResearchError):
    """A step that a finished, failed or cancelled study does not allow."""

    code = "study_ended"


class Fenced(ResearchError):
    """Another run took a study over; this one must stop and write nothing more."""

    code = "fenced"


class ExportExpired(ResearchError):
    """An export whose time is over or whose file is gone; it can be made again."""

    code = "export_expired"


class LimitBreached(ChandleryError):
    """A hard risk limit is exceeded."""

    code = "limit_breached"
    exit_code = 8
