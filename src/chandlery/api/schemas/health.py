"""Answers of the probes and the problem catalogue."""

from typing import Literal

from pydantic import BaseModel


class Alive(BaseModel):
    """The process answers."""

    status: Literal["alive"]
    version: str


class Ready(BaseModel):
    """The warehouse answers, stands at the right schema version and has something published."""

    status: Literal["ready"]
    schema_revision: str
    publications: dict[str, int]


class ProblemDescription(BaseModel):
    """What a problem code means and what to do."""

    type: str
    code: str
    status: int
    title: str
    description: str
