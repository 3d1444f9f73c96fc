"""Settings: defaults, sources, rules across fields, faults, secrets."""

import hashlib
import hmac
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr, ValidationError

from chandlery.errors import ConfigError
from chandlery.settings import DatabaseSettings, Settings, export_environment, load_settings, process_environment

CANARY = "canary-77d0"
Load = Callable[..., Settings]


@pytest.fixture
def load(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Load:
    """Return a function that reads settings from some variables and nothing else."""
    for name in list(os.environ):
        if name.startswith("CHANDLERY_") or name == "POLYGON_API_KEY":
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)

    def run(**variables: str) -> Settings:
        with monkeypatch.context() as patch:
            for name, value in variables.items():
                patch.setenv(name if name == "POLYGON_API_KEY" else f"CHANDLERY_{name}", value)
            return load_settings()

    return run


def test_nothing_needs_to_be_set(load: Load) -> None:
    settings = load()
    assert (settings.profile, settings.resolved_source, settings.log_style) == ("embedded", "replay", "console")
    assert (settings.database.host, settings.database.port, settings.database.name) == ("127.0.0.1", 5432, "chandlery")
    assert (settings.api.port, settings.dagster.port, settings.provider.port) == (8000, 3000, 8765)
    assert settings.massive.calls_per_minute == 5.0
    assert settings.vendor_key is None
    assert settings.dagster.schedules_running is False


def test_every_listening_address_is_loopback_by_default(load: Load) -> None:
    assert {load().api.host, load().dagster.host, load().database.host} == {"127.0.0.1"}


def test_groups_are_reached_by_two_underscores(load: Load) -> None:
    settings = load(API__PORT="9000", DATABASE__HOST="db", PIPELINE__SYMBOLS='["AAPL", "X:BTCUSD"]', RISK__WINDOW="60")
    assert (settings.api.port, settings.database.host, settings.risk.window) == (9000, "db", 60)
    assert settings.pipeline.symbols == ("AAPL", "X:BTCUSD")


def test_file_beside_the_process_is_read_and_the_environment_wins(load: Load) -> None:
    Path(".env").write_text("CHANDLERY_API__PORT=9001\nCHANDLERY_API__HOST=0.0.0.0\nOTHER=1\n")
    assert (load().api.port, load().api.host) == (9001, "0.0.0.0")  # noqa: S104 - read, not bound
    assert load(API__PORT="9002").api.port == 9002


@pytest.mark.parametrize("name", ["POLYGON_API_KEY", "MASSIVE__API_KEY"])
def test_either_name_of_the_key_leads_to_the_vendor(load: Load, name: str) -> None:
    settings = load(**{name: CANARY})
    assert settings.vendor_key == SecretStr(CANARY)
    assert settings.resolved_source == "massive"


def test_of_both_keys_the_one_under_the_present_name_counts(load: Load) -> None:
    assert load(POLYGON_API_KEY="old", MASSIVE__API_KEY="new").vendor_key == SecretStr("new")


def test_empty_key_counts_as_none(load: Load) -> None:
    settings = load(POLYGON_API_KEY="", MASSIVE__API_KEY="")
    assert (settings.vendor_key, settings.resolved_source) == (None, "replay")
    assert load(POLYGON_API_KEY="old", MASSIVE__API_KEY="").vendor_key == SecretStr("old")


@pytest.mark.parametrize(("source", "resolved"), [("auto", "massive"), ("replay", "replay"), ("massive", "massive")])
def test_source_can_be_forced_whatever_the_key(load: Load, source: str, resolved: str) -> None:
    assert load(SOURCE=source, POLYGON_API_KEY=CANARY).resolved_source == resolved


def test_vendor_without_a_key_is_refused(load: Load) -> None:
    with pytest.raises(ConfigError, match="POLYGON_API_KEY or CHANDLERY_MASSIVE__API_KEY"):
        load(SOURCE="massive")


@pytest.mark.parametrize("profile", ["server", "cluster"])
def test_given_database_needs_a_password(load: Load, profile: str) -> None:
    with pytest.raises(ConfigError, match=f"profile {profile} needs CHANDLERY_DATABASE__PASSWORD"):
        load(PROFILE=profile)
    assert load(PROFILE=profile, DATABASE__PASSWORD="p").profile == profile


def test_every_fault_of_a_field_is_listed_by_its_variable(load: Load) -> None:
    with pytest.raises(ConfigError) as refusal:
        load(PROFILE="none", API__PORT="70000", DATABASE__PORT=CANARY, DATABASE__HOTS="db", OPTIMIZE__FEE_BPS="-1")
    listed = [line.split(":")[0].strip() for line in str(refusal.value).splitlines()[1:]]
    assert sorted(listed) == [
        "CHANDLERY_API__PORT",
        "CHANDLERY_DATABASE__HOTS",
        "CHANDLERY_DATABASE__PORT",
        "CHANDLERY_OPTIMIZE__FEE_BPS",
        "CHANDLERY_PROFILE",
    ]
    assert CANARY not in str(refusal.value)


def test_every_fault_between_fields_is_listed_too(load: Load) -> None:
    with pytest.raises(ConfigError, match=r"(?s)DATABASE__PASSWORD.*POLYGON_API_KEY"):
        load(PROFILE="server", SOURCE="massive")


@pytest.mark.parametrize(
    ("name", "value"),
    [("PIPELINE__SYMBOLS", f"AAPL,{CANARY}"), ("DATABASE", f"postgresql://{CANARY}"), ("MASSIVE", "{")],
)
def test_text_that_is_no_json_where_json_belongs_is_a_fault_like_others(load: Load, name: str, value: str) -> None:
    with pytest.raises(ConfigError, match=f"CHANDLERY_{name.split('_', maxsplit=1)[0]}") as refusal:
        load(**{name: value})
    assert CANARY not in str(refusal.value)


def test_no_secret_shows_in_any_form_of_the_settings(load: Load) -> None:
    roles = ("", "PIPELINE_", "READER_", "AUTH_")
    secrets = {f"DATABASE__{role}PASSWORD": f"{CANARY}-{role}" for role in roles}
    settings = load(POLYGON_API_KEY=CANARY, MASSIVE__API_KEY=CANARY, **secrets)
    forms = [repr(settings), str(settings), str(settings.model_dump()), settings.model_dump_json()]
    assert [form for form in forms if CANARY in form] == []


def test_settings_cannot_be_changed(load: Load) -> None:
    settings = load()
    for target, name in ((settings, "profile"), (settings.database, "host")):
        with pytest.raises(ValidationError, match="frozen"):
            setattr(target, name, "server")


@pytest.mark.parametrize("role", ["pipeline", "reader", "auth"])
def test_login_is_derived_unless_given(role: Any) -> None:
    database = DatabaseSettings(password=SecretStr("owner"))
    derived = hmac.new(b"owner", role.encode(), hashlib.sha256).hexdigest()
    assert database.login(role) == (f"chandlery_{role}", derived)
    given = database.model_copy(update={f"{role}_password": SecretStr("own")})
    assert given.login(role) == (f"chandlery_{role}", "own")
    assert database.login("owner") == ("chandlery", "owner")


def test_home_is_absolute_and_knows_the_tilde(load: Load, tmp_path: Path) -> None:
    assert load().home_dir == tmp_path / ".chandlery"
    assert load(HOME="~/bars").home_dir == Path.home() / "bars"
    assert load(HOME="/data").home_dir == Path("/data")


def test_child_process_gets_our_environment_and_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OURS", "1")
    monkeypatch.setenv("BOTH", "1")
    found = process_environment({"BOTH": "2", "THEIRS": "2"})
    assert (found["OURS"], found["BOTH"], found["THEIRS"]) == ("1", "2", "2")
    assert "THEIRS" not in os.environ


def test_exported_variables_are_seen_by_libraries(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHANDLERY_DBT_USER", "before")
    export_environment({"CHANDLERY_DBT_USER": "after"})
    assert os.environ["CHANDLERY_DBT_USER"] == "after"
