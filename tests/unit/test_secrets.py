"""The secrets: made up once, kept to their owner."""

import json
import stat
from base64 import b64decode

import pytest

from infra import secrets
from infra.errors import UserError
from infra.settings import Settings


@pytest.fixture
def bare(tmp_path):
    return Settings(home=tmp_path / "home")


def test_secrets_are_made_up_once(bare):
    first, second = secrets.resolve(bare), secrets.resolve(bare)
    assert first == second
    assert first.snapshot_secret.get_secret_value()
    assert first.clickhouse_password != first.analyst_password


def test_two_machines_have_different_secrets(bare, tmp_path):
    other = secrets.resolve(Settings(home=tmp_path / "other"))
    assert secrets.resolve(bare).api_keys != other.api_keys


def test_only_the_owner_may_read_them(bare):
    secrets.resolve(bare)
    mode = (bare.home / secrets.FILE).stat().st_mode
    assert stat.S_IMODE(mode) == 0o600
    assert stat.S_IMODE(bare.home.stat().st_mode) == 0o700


def test_a_file_that_others_may_read_is_refused(bare):
    secrets.resolve(bare)
    file = bare.home / secrets.FILE
    file.chmod(0o644)
    with pytest.raises(UserError, match="others may read") as refused:
        secrets.resolve(bare)
    assert refused.value.remedy == f"chmod 600 {file}"


def test_a_damaged_file_is_said_to_be_damaged(bare):
    secrets.resolve(bare)
    (bare.home / secrets.FILE).write_text("{")
    with pytest.raises(UserError, match="is damaged"):
        secrets.resolve(bare)


def test_a_secret_from_the_settings_is_used_and_never_written_down(bare):
    given = Settings(home=bare.home, snapshot_secret="from-outside")
    assert secrets.resolve(given).snapshot_secret.get_secret_value() == "from-outside"
    assert "from-outside" not in (bare.home / secrets.FILE).read_text()


def test_the_webhook_secret_is_one_that_standard_webhooks_takes(bare):
    secret = secrets.resolve(bare).webhook_secret.get_secret_value()
    assert len(b64decode(secret.removeprefix("whsec_"))) == 32


def test_a_created_key_joins_those_that_were_there(bare):
    before = secrets.resolve(bare).write_keys.get_secret_value()
    name, key = secrets.create_key(bare, "ingest", "shop")
    assert name == "shop"
    assert secrets.resolve(bare).write_keys.get_secret_value() == f"{before},shop={key}"


def test_an_admin_key_is_made_up_and_is_no_other_scopes_key(bare):
    name, key = secrets.create_key(bare, "admin", "ops")
    found = secrets.resolve(bare)
    assert f"{name}={key}" in found.admin_keys.get_secret_value()
    first = secrets.first_key(found.admin_keys)
    assert first.startswith("ak_")
    others = found.write_keys.get_secret_value() + found.api_keys.get_secret_value()
    assert first not in others
    assert key not in others


def test_a_key_without_a_name_is_given_one(bare):
    assert secrets.create_key(bare, "read")[0] == "read-1"
    assert secrets.create_key(bare, "read")[0] == "read-2"


def test_a_key_name_is_taken_once_and_holds_no_separator(bare):
    secrets.create_key(bare, "read", "desk")
    with pytest.raises(UserError, match="already"):
        secrets.create_key(bare, "read", "desk")
    with pytest.raises(UserError, match="no name"):
        secrets.create_key(bare, "read", "a=b")


def test_keys_that_come_from_the_environment_are_not_added_to(bare):
    given = Settings(home=bare.home, api_keys="ci=abc")
    with pytest.raises(UserError, match="C360_API_KEYS"):
        secrets.create_key(given, "read", "desk")


def test_the_file_holds_nothing_half_written(bare):
    secrets.resolve(bare)
    for number in range(5):
        secrets.create_key(bare, "ingest", f"key{number}")
    kept = json.loads((bare.home / secrets.FILE).read_text())
    assert len(kept["write_keys"]) == 6
    assert not (bare.home / secrets.FILE).with_suffix(".new").exists()
