"""One process runner: starts children in their own sessions, watches them, stops all when one ends or on a signal."""

import signal
import socket
import subprocess
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import FrameType, TracebackType
from typing import IO, Self

from chandlery.errors import ConfigError, Unavailable
from chandlery.settings import PROJECT_DIR, process_environment

_STOP_S = 20
_POLL_S = 0.2


@dataclass(frozen=True, slots=True)
class Service:
    """One child: its command, where it listens, and a path it answers (not with a 5xx) once it is ready."""

    name: str
    command: tuple[str, ...]
    host: str | None = None
    port: int | None = None
    ready_path: str | None = None

    @property
    def url(self) -> str | None:
        """Base URL, None for a child that does not listen."""
        return None if self.port is None else f"http://{self.host}:{self.port}"


def require_free_ports(services: Sequence[Service]) -> None:
    """Do nothing if every port can be bound.

    Raises:
        ConfigError: naming each port that is taken and who wanted it.
    """
    taken = [service for service in services if service.port is not None and not _is_free(service.host, service.port)]
    if taken:
        names = ", ".join(f"{service.port} ({service.name})" for service in taken)
        raise ConfigError(
            f"These ports are in use on this machine: {names}. Stop what listens there (`chandlery down` for an "
            "earlier `up`), or choose others: CHANDLERY_DAGSTER__PORT, CHANDLERY_API__PORT, CHANDLERY_PROVIDER__PORT."
        )


class Supervisor:
    """A set of running services; as a context manager it stops them on the way out."""

    def __init__(self, services: Sequence[Service], *, environment: Mapping[str, str], log_dir: Path) -> None:
        self._services = tuple(services)
        self._environment = process_environment(environment)
        self._log_dir = log_dir
        self._children: list[tuple[Service, subprocess.Popen[bytes], IO[bytes]]] = []
        self._stopping = threading.Event()

    def __enter__(self) -> Self:
        """Install signal handlers, then start every service."""
        # Before any child exists: a shell's `&` leaves SIGINT ignored, and children would inherit that.
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._on_signal)
        self._log_dir.mkdir(parents=True, exist_ok=True)
        try:
            for service in self._services:
                self._start(service)
        except OSError as error:
            self._stop()
            raise ConfigError(
                f"{error.filename} could not be started: {error.strerror}. Set the environment up again (`make up`)."
            ) from error
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop all, the last started first."""
        self._stop()

    def _stop(self) -> None:
        for _, child, _ in reversed(self._children):
            if child.poll() is None:
                child.terminate()
        deadline = time.perf_counter() + _STOP_S
        for _, child, output in reversed(self._children):
            try:
                child.wait(timeout=max(0.1, deadline - time.perf_counter()))
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()
            output.close()

    def wait_ready(self, *, timeout_s: float) -> bool:
        """Return True once every service answers, False if a signal came first.

        Raises:
            Unavailable: one ended or did not answer in time; the end of its log is in the message.
        """
        deadline = time.perf_counter() + timeout_s
        for service in self._services:
            while service.ready_path is not None and not _answers(f"{service.url}{service.ready_path}"):
                self._require_alive()
                if time.perf_counter() > deadline:
                    raise Unavailable(f"{service.name} did not answer within {timeout_s:.0f} s. {self._tail(service)}")
                if self._stopping.wait(_POLL_S):
                    return False
        return True

    def watch(self) -> None:
        """Return when a signal asks to stop.

        Raises:
            Unavailable: a service ended by itself; the end of its log is in the message.
        """
        while not self._stopping.wait(_POLL_S):
            self._require_alive()

    def _start(self, service: Service) -> None:
        output = (self._log_dir / f"{service.name}.log").open("wb")
        try:
            child = subprocess.Popen(
                service.command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                cwd=PROJECT_DIR,
                env=self._environment,
                start_new_session=True,
            )
        except OSError:
            output.close()
            raise
        self._children.append((service, child, output))

    def _require_alive(self) -> None:
        for service, child, _ in self._children:
            if child.poll() is not None and not self._stopping.is_set():
                raise Unavailable(f"{service.name} ended with status {child.returncode}. {self._tail(service)}")

    def _tail(self, service: Service) -> str:
        log_file = self._log_dir / f"{service.name}.log"
        lines = log_file.read_text(errors="replace").splitlines()[-15:]
        return "\n".join([f"Its log {log_file} ends:", *lines])

    def _on_signal(self, _number: int, _frame: FrameType | None) -> None:
        self._stopping.set()


def _is_free(host: str | None, port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host or "127.0.0.1", port))
        except OSError:
            return False
    return True


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2):  # noqa: S310 - our own http address
            return True
    except urllib.error.HTTPError as error:
        # The stand-in refuses whoever brings no key; that is an answer.
        return error.code < 500
    except OSError:
        return False
