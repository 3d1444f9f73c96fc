"""The server installation: docker-compose.yml and deploy/Dockerfile against the code. No container is started."""

import importlib.util
import re
import shutil
import sys
from itertools import pairwise
from pathlib import Path
from typing import Any

import click
import pytest
import typer
import yaml
from pydantic import SecretStr

from chandlery.cli.app import app
from chandlery.cli.children import dagster_environment
from chandlery.settings import DatabaseSettings, Role, Settings, load_settings
from chandlery.store.warehouse import Warehouse

ROLES: dict[str, tuple[Role, ...]] = {
    "migrate": ("owner", "pipeline", "reader", "auth"),
    "code-location": ("pipeline",),
    "api": ("reader", "auth"),
}
"""What each service that reads settings logs in as."""
LONG_RUNNING = ("postgres", "code-location", "webserver", "daemon", "api")
_VARIABLE = re.compile(r"\$\{(\w+)(?::([-?])([^}]*))?\}")


@pytest.fixture(scope="module")
def services(tree: Any) -> dict[str, Any]:
    return yaml.safe_load(tree.text("docker-compose.yml"))["services"]


def filled(value: object) -> str:
    """Return a value as compose would interpolate it, `secret` where a variable is demanded."""
    return _VARIABLE.sub(lambda match: match[3] if match[2] == "-" else "secret", str(value))


def setting_names(tree: Any) -> set[str]:
    return set(re.findall(r"^#(\w+)=", tree.text(".env.example"), re.MULTILINE))


def test_the_services_are_those_of_the_server_profile(services: dict[str, Any]) -> None:
    assert sorted(services) == sorted([*LONG_RUNNING, "migrate"])


@pytest.mark.parametrize("name", LONG_RUNNING)
def test_every_service_that_stays_up_has_a_health_check(services: dict[str, Any], name: str) -> None:
    check = services[name]["healthcheck"]
    assert check["test"][0] == "CMD"
    assert {"interval", "timeout", "retries"} <= set(check)
    assert services[name]["restart"] == "unless-stopped"


def test_services_start_after_what_they_need(services: dict[str, Any]) -> None:
    after = {name: service.get("depends_on", {}) for name, service in services.items()}
    migrated = {"migrate": {"condition": "service_completed_successfully"}}
    located = {"code-location": {"condition": "service_healthy"}}
    assert after == {
        "postgres": {},
        "migrate": {"postgres": {"condition": "service_healthy"}},
        "code-location": migrated,
        "api": migrated,
        "webserver": located,
        "daemon": located,
    }


def test_commands_exist(services: dict[str, Any], tree: Any) -> None:
    for name, service in services.items():
        if name == "postgres":
            continue
        program, *words = service["command"]
        assert shutil.which(program, path=str(Path(sys.executable).parent)), program
        for option, value in pairwise(words):
            if option == "-w":
                assert (tree.root / value).is_file()
            if option == "-m":
                assert importlib.util.find_spec(value) is not None
        for word in words:
            module, colon, attribute = word.partition(":")
            if colon:
                assert callable(getattr(importlib.import_module(module), attribute))


def test_the_migration_is_a_command_of_ours(services: dict[str, Any]) -> None:
    program, *words = services["migrate"]["command"]
    root = typer.main.get_command(app)
    assert program == "chandlery"
    assert isinstance(root, click.Group)
    assert words[0] in root.commands


def test_ports_are_those_of_the_settings_and_published_on_loopback_only(services: dict[str, Any], tree: Any) -> None:
    defaults = Settings(_env_file=None)
    published = {name: [filled(port) for port in service.get("ports", [])] for name, service in services.items()}
    assert {name: ports for name, ports in published.items() if ports} == {
        "api": [f"127.0.0.1:{defaults.api.port}:{defaults.api.port}"],
        "webserver": [f"127.0.0.1:{defaults.dagster.port}:{defaults.dagster.port}"],
    }
    assert services["api"]["command"][-2] == str(defaults.api.port)
    assert str(defaults.dagster.port) in services["webserver"]["command"]
    location = yaml.safe_load(tree.text("deploy/workspace-server.yaml"))["load_from"][0]["grpc_server"]
    command = services[location["host"]]["command"]
    assert command[command.index("-p") + 1] == str(location["port"])
    local = yaml.safe_load(tree.text("workspace.yaml"))["load_from"][0]["python_module"]
    assert local["module_name"] == command[command.index("-m") + 1]
    assert local["location_name"] == location["location_name"]


def test_every_variable_is_one_that_is_read(services: dict[str, Any], tree: Any) -> None:
    known = setting_names(tree)
    known |= set(re.findall(r"env: (\w+)", tree.text("deploy/dagster.yaml")))
    known |= set(re.findall(r"env_var\('(\w+)'", tree.text("dbt_project/profiles.yml")))
    for name, service in services.items():
        given = set(service["environment"])
        assert {variable for variable in given - known if not variable.startswith("POSTGRES_")} == set(), name
        asked = {match[0] for value in service["environment"].values() for match in _VARIABLE.findall(str(value))}
        assert asked <= known, name


@pytest.mark.parametrize("name", ROLES)
def test_settings_accept_what_a_service_is_given(
    services: dict[str, Any], name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    for variable, value in services[name]["environment"].items():
        monkeypatch.setenv(variable, filled(value))
    settings = load_settings()
    assert settings.profile == "server"
    assert settings.database.host == "postgres"
    assert (settings.resolved_source == "massive") == (name == "code-location")
    for role in ROLES[name]:
        assert settings.database.login(role)[1] == "secret"


def test_secrets_come_from_outside_and_each_role_gets_its_own(services: dict[str, Any]) -> None:
    given: dict[str, set[str]] = {}
    for name, service in services.items():
        for variable, value in service["environment"].items():
            if "PASSWORD" in variable or variable.endswith("_KEY"):
                assert re.fullmatch(r"\$\{\w+:\?[^}]+\}", value), (name, variable)
        text = str(service["environment"])
        given[name] = set(re.findall(r"\$\{CHANDLERY_DATABASE__(\w*PASSWORD):\?", text))
    assert given == {
        "postgres": {"PASSWORD"},
        "migrate": {"PASSWORD", "PIPELINE_PASSWORD", "READER_PASSWORD", "AUTH_PASSWORD"},
        "code-location": {"PIPELINE_PASSWORD"},
        "webserver": {"PIPELINE_PASSWORD"},
        "daemon": {"PIPELINE_PASSWORD"},
        "api": {"READER_PASSWORD", "AUTH_PASSWORD"},
    }


def test_dagsters_address_names_its_driver_role_and_schema(services: dict[str, Any]) -> None:
    for name in ("code-location", "webserver", "daemon"):
        url = services[name]["environment"]["CHANDLERY_DAGSTER_URL"]
        assert url.startswith("postgresql+psycopg2://chandlery_pipeline:")
        assert url.endswith("@postgres:5432/chandlery?options=-csearch_path%3Ddagster")


def test_a_container_of_dagster_has_what_up_gives_its_children(
    services: dict[str, Any], tree: Any, tmp_path: Path
) -> None:
    given = dagster_environment(
        Settings(_env_file=None, home=tmp_path), Warehouse(DatabaseSettings(password=SecretStr("p")))
    )
    block = re.search(r"^ENV ((?:.*\\\n)*.*)", tree.text("deploy/Dockerfile"), re.MULTILINE)
    assert block is not None
    image = dict(re.findall(r"(\w+)=(\S+)", block[1]))
    assert set(given) <= {*image, *services["code-location"]["environment"]}
    places = {"DAGSTER_HOME", "CHANDLERY_HOME"}
    assert {name: image[name] for name in set(given) & set(image) - places} == {
        name: given[name] for name in set(given) & set(image) - places
    }


def test_every_volume_is_declared_and_used(tree: Any, services: dict[str, Any]) -> None:
    used = {volume.split(":")[0] for service in services.values() for volume in service.get("volumes", [])}
    assert used == set(yaml.safe_load(tree.text("docker-compose.yml"))["volumes"])


def test_our_containers_run_without_privileges(services: dict[str, Any]) -> None:
    for name in set(services) - {"postgres"}:
        assert services[name]["cap_drop"] == ["ALL"]
        assert services[name]["security_opt"] == ["no-new-privileges:true"]


def test_the_image_is_built_from_files_that_exist_and_runs_as_a_user(tree: Any, services: dict[str, Any]) -> None:
    build = services["migrate"]["build"]
    lines = re.sub(r"\\\n\s*", " ", tree.text(build["dockerfile"])).splitlines()
    assert next(line for line in lines if line.startswith("FROM")) == "FROM python:3.11-slim"
    ignored = tree.text(".dockerignore").splitlines()
    copied = [word for line in lines if line.startswith("COPY") for word in line.split()[1:-1]]
    assert [name for name in copied if not (tree.root / name).exists() or name in ignored] == []
    install = next(line for line in lines if "requirements.lock" in line and "pip install" in line)
    assert "--require-hashes" in install
    assert any("--no-deps --no-build-isolation -e ." in line for line in lines)
    user = [line.split()[1] for line in lines if line.startswith("USER")]
    assert user == ["chandlery"]
    assert max(n for n, line in enumerate(lines) if " pip install " in line) < lines.index("USER chandlery")
    copied_by_code = {"dbt_project", "deploy", "orchestration", "src"}
    assert copied_by_code <= set(copied)


def test_the_image_names_variables_and_ports_that_exist(tree: Any, services: dict[str, Any]) -> None:
    text = tree.text("deploy/Dockerfile")
    assert set(re.findall(r"CHANDLERY_\w+", text)) <= setting_names(tree)
    ports = re.search(r"^EXPOSE (.+)$", text, re.MULTILINE)
    assert ports is not None
    listened = {word for service in services.values() for word in service.get("command", []) if word.isdigit()}
    assert set(ports[1].split()) == listened
    home = re.search(r"DAGSTER_HOME=(\S+)", text)
    assert home is not None
    mounts = {volume.split(":")[1] for s in services.values() for volume in s.get("volumes", [])}
    assert f"{home[1]}/storage" in mounts
