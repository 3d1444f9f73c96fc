"""A study on the command line is killed in the middle, resumed, and ends with the table of an uninterrupted one."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
import pytest

ROOT = Path(__file__).resolve().parents[2]
Ask = Callable[..., list[tuple[Any, ...]]]

EVALUATED = (
    "select seq, batch, number, params::text, score, scores::text, equity, closed_trades, max_dd, bar_sharpe, state "
    "from research.evaluations order by seq"
)
ANSWER = "select method, trials, best_params, metrics, evidence, verdict from research.studies"
STUDY = ("rsi_revert", "AAPL", "--method", "tpe", "--trials", "320", "--seed", "5")


class Terminal:
    """The command line over the priced warehouse, as a server's."""

    def __init__(self, warehouse: Any, home: Path) -> None:
        place = warehouse.database
        self.environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("CHANDLERY_")},
            "CHANDLERY_PROFILE": "server",
            "CHANDLERY_HOME": str(home),
            "CHANDLERY_DATABASE__HOST": place.host,
            "CHANDLERY_DATABASE__PORT": str(place.port),
            "CHANDLERY_DATABASE__NAME": place.name,
            "CHANDLERY_DATABASE__USER": place.user,
            "CHANDLERY_DATABASE__PASSWORD": place.password.get_secret_value(),
        }

    def start(self, *arguments: str) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [sys.executable, "-m", "chandlery", "study", *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=ROOT,
            env=self.environment,
        )

    def run(self, *arguments: str) -> bytes:
        child = self.start(*arguments)
        out, err = child.communicate(timeout=300)
        assert child.returncode == 0, err.decode()
        return out


@pytest.fixture(scope="module")
def terminal(priced: Any, tmp_path_factory: pytest.TempPathFactory) -> Terminal:
    return Terminal(priced.warehouse, tmp_path_factory.mktemp("home"))


def stopped_within(
    terminal: Terminal, ask: Ask, warehouse: Any, number: signal.Signals, *arguments: str
) -> tuple[int, int]:
    """Start a study, send a signal once it keeps three batches; return its exit status and the batches it kept."""
    count = "select count(*) from research.batches"
    child = terminal.start(*arguments)
    while ask(warehouse, count)[0][0] < 3:
        assert child.poll() is None, child.communicate()[1].decode()
        time.sleep(0.01)
    child.send_signal(number)
    child.communicate(timeout=60)
    return child.returncode, ask(warehouse, count)[0][0]


def test_killed_study_resumes_to_the_table_and_answer_of_an_uninterrupted_one(
    terminal: Terminal, priced: Any, ask: Ask, tell: Callable[..., None]
) -> None:
    warehouse = priced.warehouse
    tell(warehouse, "delete from research.studies", "delete from ops.jobs")
    status, kept = stopped_within(terminal, ask, warehouse, signal.SIGKILL, "run", *STUDY)
    assert status == -signal.SIGKILL
    assert kept < 20
    ((job, state),) = ask(warehouse, "select job_id::text, state from ops.jobs")
    assert state == "running"
    # Nobody waits a minute here for what a minute of silence means.
    tell(warehouse, "update ops.jobs set heartbeat_at = now() - interval '61 s'")
    told = orjson.loads(terminal.run("resume", job[-8:], "--format", "json"))
    assert (told["job"]["state"], told["study"]["trials"]) == ("succeeded", 320)
    resumed, answer = ask(warehouse, EVALUATED), ask(warehouse, ANSWER)
    assert len({batch for _, batch, *_ in resumed}) == 20

    tell(warehouse, "delete from research.studies")
    status, _ = stopped_within(terminal, ask, warehouse, signal.SIGINT, "run", *STUDY)
    assert status == 7  # an interrupt is a cancellation
    terminal.run("run", *STUDY, "--again")
    assert ask(warehouse, EVALUATED) == resumed
    assert ask(warehouse, ANSWER) == answer


def test_two_processes_share_a_study_to_the_same_table(
    terminal: Terminal, priced: Any, ask: Ask, tell: Callable[..., None]
) -> None:
    asked = ("sma_cross", "GE", "--trials", "900", "--seed", "1", "--method", "sobol")
    whole = (
        "select seq, number, params::text, score, equity from research.evaluations join research.studies "
        "using (study_id) where strategy = 'sma_cross' order by seq"
    )
    terminal.run("run", *asked)
    alone = ask(priced.warehouse, whole)
    assert len(alone) == 900
    tell(priced.warehouse, "delete from research.studies where strategy = 'sma_cross'")
    terminal.run("run", *asked, "--shards", "2")
    assert ask(priced.warehouse, whole) == alone
    assert ask(priced.warehouse, "select parts from research.studies where strategy = 'sma_cross'") == [(2,)]
