"""`c360 dead-letters`: what was refused is seen whole, and goes back once, as received."""

import json

import pytest
from typer.testing import CliRunner

from infra.cli.dead_letters import app
from infra.dead_letters import read, redrive
from infra.errors import UserError
from models.dead_letter import headers_of
from models.errors import Reason, TouchpointRejectedError
from models.topics import DEAD_LETTERS, TOUCHPOINTS
from tests.support.kafka_log import read_all, send

pytestmark = pytest.mark.stack
SENDER = [("source", b"shop"), ("received_at", b"1767225600000")]
BYTES = b'{"type":\xff'


def bury(settings, *sources):
    why = TouchpointRejectedError(Reason.NOT_UTF8, "byte 8", "type")
    letters = [(b"ana", BYTES, headers_of(why, source, SENDER)) for source in sources]
    send(settings.kafka, settings.topic(DEAD_LETTERS), letters)


@pytest.fixture
def run(kafka_settings, monkeypatch):
    for name, value in kafka_settings.environ().items():
        monkeypatch.setenv(name, value)
    return lambda *words: CliRunner().invoke(app, words, catch_exceptions=False)


def touchpoints(settings):
    return read_all(settings.kafka, settings.topic(TOUCHPOINTS))


def test_a_letter_is_listed_and_shown_whole(kafka_settings, run):
    bury(kafka_settings, "touchpoints/0/7")
    [listed] = json.loads(run("list", "--json").stdout)
    assert (listed["number"], listed["reason"], listed["field"], listed["source"]) == (
        *(0, "not_utf8"),
        *("type", "touchpoints/0/7"),
    )
    assert listed["headers"]["source"] == "shop"
    assert "not_utf8" in run("list").stdout
    assert run("show", "0", "--raw").stdout_bytes == BYTES
    assert '{"type":\\xff' in run("show", "0").stdout


def test_a_redrive_sends_the_message_as_it_was_received_and_marks_it(kafka_settings, run):
    bury(kafka_settings, "touchpoints/0/7")
    assert run("redrive", "0").exit_code == 0
    [sent] = touchpoints(kafka_settings)
    assert (sent.key, sent.value) == (b"ana", BYTES)
    assert list(sent.headers) == [*SENDER, ("redriven_from", b"0")]
    assert json.loads(run("list", "--json").stdout) == []
    [kept] = json.loads(run("list", "--all", "--json").stdout)
    assert kept["redriven_at"]


def test_a_letter_goes_back_once_unless_told_otherwise(kafka_settings):
    bury(kafka_settings, "touchpoints/0/7", "touchpoints/0/8")
    redrive(kafka_settings, [0])
    with pytest.raises(UserError, match="sent again already"):
        redrive(kafka_settings, [1, 0])
    assert len(touchpoints(kafka_settings)) == 1  # not even the one that could have gone
    redrive(kafka_settings, [0], again=True)
    assert len(touchpoints(kafka_settings)) == 2
    assert [letter.redriven_ms is None for letter in read(kafka_settings)] == [False, True]


def test_a_mended_file_goes_in_place_of_the_message(kafka_settings, run, tmp_path):
    bury(kafka_settings, "touchpoints/0/7")
    mended = tmp_path / "mended.json"
    mended.write_bytes(b'{"type":"page_viewed"}')
    run("redrive", "0", "--file", str(mended))
    [sent] = touchpoints(kafka_settings)
    assert (sent.key, sent.value) == (b"ana", b'{"type":"page_viewed"}')


def test_all_sends_what_has_not_gone_yet_and_was_a_touchpoint(kafka_settings, run):
    bury(kafka_settings, "touchpoints/0/7", "events/1/3", "touchpoints/0/8")
    redrive(kafka_settings, [0])
    assert run("redrive", "--all").stdout == "sent again: 2\n"
    assert run("redrive", "--all").stdout == "nothing to send again\n"
    with pytest.raises(UserError, match="was no touchpoint"):
        redrive(kafka_settings, [1])


def test_a_letter_that_is_not_there_is_said_so(kafka_settings):
    with pytest.raises(UserError, match="no dead letter 9"):
        redrive(kafka_settings, [9])
