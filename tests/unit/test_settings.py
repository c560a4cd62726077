"""Settings: read once, an unknown one is an error, secrets never shown."""

import pytest

from infra.settings import Settings, SettingsError


def test_an_unknown_setting_is_an_error_that_names_it():
    with pytest.raises(SettingsError, match="C360_KAFFKA: no such setting"):
        Settings.from_env({"C360_KAFFKA": "x"})


def test_every_wrong_setting_is_named_at_once():
    with pytest.raises(SettingsError) as refused:
        Settings.from_env({"C360_KAFKA_PORT": "0", "C360_PARTITIONS": "many"})
    assert "C360_KAFKA_PORT" in str(refused.value)
    assert "C360_PARTITIONS" in str(refused.value)


def test_a_wrong_secret_is_not_repeated_in_the_message():
    with pytest.raises(SettingsError) as refused:
        Settings.from_env({"C360_API_KEY": "hunter2"})
    assert "hunter2" not in str(refused.value)


@pytest.mark.parametrize("url", ["https://ana:hunter2@db:8443", "db:8443", "ftp://db", "http://"])
def test_clickhouse_is_where_it_answers_and_nothing_secret(url):
    with pytest.raises(SettingsError, match="C360_CLICKHOUSE: ") as refused:
        Settings.from_env({"C360_CLICKHOUSE": url})
    assert "hunter2" not in str(refused.value)
    for good in ("http://127.0.0.1:8123", "https://[::1]:8443/", "https://db:8443?ca_cert=a@b"):
        assert Settings.from_env({"C360_CLICKHOUSE": good}).clickhouse_url == good


def test_variables_of_others_are_left_alone():
    assert Settings.from_env({"PATH": "/bin"}) == Settings()


def test_settings_survive_the_way_through_an_environment():
    settings = Settings(partitions=3, api_keys="a=b", webhook_allow_private=True, kafka="h:1")
    assert Settings.from_env(settings.environ()) == settings


def test_every_setting_says_what_it_is_for():
    assert [name for name, field in Settings.model_fields.items() if not field.description] == []


def test_secrets_are_not_printed():
    assert "hunter2" not in repr(Settings(api_keys="a=hunter2"))
