"""Services: started together, watched, stopped together."""

import http.client
import os
import signal
import socket
import sys
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from chandlery.cli.children import prepare_dagster_home, run_to_end
from chandlery.cli.supervisor import Service, Supervisor, require_free_ports
from chandlery.errors import ChandleryError, ConfigError, Unavailable
from chandlery.settings import Settings

_SERVE = """
import http.server, os, sys
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200); self.end_headers(); self.wfile.write(os.environ["GREETING"].encode())
print("listening soon", flush=True)
http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
"""
_DIE = "import sys, time; time.sleep(float(sys.argv[1])); print('the disk is full', file=sys.stderr); sys.exit(3)"


def serving(name: str) -> Service:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    return Service(name, (sys.executable, "-c", _SERVE, str(port)), "127.0.0.1", port, "/")


def dying(name: str, *, after_s: float, **place: Any) -> Service:
    return Service(name, (sys.executable, "-c", _DIE, str(after_s)), **place)


def greeting(service: Service) -> str:
    with closing(http.client.HTTPConnection("127.0.0.1", service.port or 0, timeout=5)) as connection:
        connection.request("GET", "/")
        return connection.getresponse().read().decode()


@pytest.fixture(autouse=True)
def _handlers() -> Iterator[None]:
    """Give pytest its own signal handlers back."""
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


def supervise(tmp_path: Path, *services: Service) -> Supervisor:
    return Supervisor(services, environment={"GREETING": "hello"}, log_dir=tmp_path / "logs")


def test_services_answer_together_and_are_gone_afterwards(tmp_path: Path) -> None:
    first, second = serving("first"), serving("second")
    with supervise(tmp_path, first, second) as supervisor:
        assert supervisor.wait_ready(timeout_s=20) is True
        assert [greeting(first), greeting(second)] == ["hello", "hello"]
        children = [child for _, child, _ in supervisor._children]
        assert [os.getsid(child.pid) for child in children] == [child.pid for child in children]
    assert all(child.returncode == -signal.SIGTERM for child in children)
    for service in (first, second):
        with pytest.raises(ConnectionRefusedError):
            greeting(service)
    assert (tmp_path / "logs" / "second.log").read_text().startswith("listening soon")


def test_service_that_ends_at_once_is_told_with_its_log_and_takes_all_down(tmp_path: Path) -> None:
    first = serving("first")
    broken = dying("broken", after_s=0, host="127.0.0.1", port=1, ready_path="/")
    words = r"(?s)broken ended with status 3.*broken\.log ends:\nthe disk is full"
    with supervise(tmp_path, first, broken) as supervisor, pytest.raises(Unavailable, match=words):
        supervisor.wait_ready(timeout_s=20)
    assert supervisor._children[0][1].returncode == -signal.SIGTERM


def test_service_that_dies_later_ends_the_watch(tmp_path: Path) -> None:
    with (
        supervise(tmp_path, serving("first"), dying("mortal", after_s=0.3)) as supervisor,
        pytest.raises(Unavailable, match="mortal ended with status 3"),
    ):
        supervisor.watch()


def test_service_that_never_answers_is_named(tmp_path: Path) -> None:
    silent = dying("silent", after_s=60, host="127.0.0.1", port=1, ready_path="/")
    with (
        supervise(tmp_path, silent) as supervisor,
        pytest.raises(Unavailable, match="silent did not answer within 0 s"),
    ):
        supervisor.wait_ready(timeout_s=0.3)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_signal_ends_the_watch_in_peace(tmp_path: Path, number: signal.Signals) -> None:
    with supervise(tmp_path, dying("steady", after_s=60)) as supervisor:
        threading.Timer(0.1, os.kill, (os.getpid(), number)).start()
        supervisor.watch()
    assert supervisor._children[0][1].returncode == -signal.SIGTERM


def test_signal_while_starting_is_no_error(tmp_path: Path) -> None:
    silent = dying("silent", after_s=60, host="127.0.0.1", port=1, ready_path="/")
    with supervise(tmp_path, silent) as supervisor:
        threading.Timer(0.1, os.kill, (os.getpid(), signal.SIGTERM)).start()
        assert supervisor.wait_ready(timeout_s=20) is False


def test_program_that_is_missing_is_named_and_the_others_are_stopped(tmp_path: Path) -> None:
    supervisor = supervise(tmp_path, dying("steady", after_s=60), Service("absent", ("/nowhere/dagster-webserver",)))
    try:
        with pytest.raises(ConfigError, match="/nowhere/dagster-webserver"), supervisor:
            pass
        left = [child.poll() for _, child, _ in supervisor._children]
    finally:
        for _, child, output in supervisor._children:
            child.kill()
            child.wait()
            output.close()
    assert None not in left


def test_free_ports_are_free_and_taken_ones_are_named_together() -> None:
    first, second = serving("first"), serving("second")
    require_free_ports([first, second, Service("no port", ("true",))])
    with (
        socket.create_server(("127.0.0.1", first.port or 0)),
        socket.create_server(("127.0.0.1", second.port or 0)),
        pytest.raises(ConfigError, match=rf"{first.port} \(first\), {second.port} \(second\)"),
    ):
        require_free_ports([first, second])


def run_child(log_file: Path, program: str, waiting: Any = lambda: None) -> None:
    run_to_end(["-c", program], what="The stage", log_file=log_file, environment={"GREETING": "hi"}, waiting=waiting)


def test_child_runs_to_its_end_with_its_output_in_a_file(tmp_path: Path) -> None:
    run_child(tmp_path / "logs" / "stage.log", "import os; print(os.environ['GREETING'])")
    assert (tmp_path / "logs" / "stage.log").read_text() == "hi\n"


def test_failed_child_is_told_by_the_lines_that_matter(tmp_path: Path) -> None:
    program = "print('noise\\n' * 50); raise ValueError('no bars')"
    with pytest.raises(
        ChandleryError, match=r"(?s)The stage ended with status 1.*ValueError: no bars.*stage\.log"
    ) as told:
        run_child(tmp_path / "stage.log", program)
    assert "noise" not in str(told.value)


def test_child_that_fails_without_a_word_of_error_shows_its_last_lines(tmp_path: Path) -> None:
    with pytest.raises(ChandleryError, match=r"(?s)status 4.*line 49"):
        run_child(tmp_path / "stage.log", "import sys; [print('line', n) for n in range(50)]; sys.exit(4)")


def test_interrupted_wait_ends_the_child(tmp_path: Path) -> None:
    def interrupt() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_child(tmp_path / "stage.log", "import time; time.sleep(60)", interrupt)


def test_dagster_home_is_made_again_from_the_checkout(tmp_path: Path) -> None:
    settings = Settings(_env_file=None, home=tmp_path)
    home = prepare_dagster_home(settings)
    (home / "dagster.yaml").write_text("edited")
    prepare_dagster_home(settings)
    assert "storage" in (home / "dagster.yaml").read_text()


def test_dagster_home_that_cannot_be_written_names_the_setting() -> None:
    with pytest.raises(ConfigError, match="CHANDLERY_HOME"):
        prepare_dagster_home(Settings(_env_file=None, home=Path("/proc/chandlery")))
