"""Each file is an event as some release was sent it, and what the log holds of it, for ever."""

import json
from pathlib import Path
from typing import get_args

import pytest

from models.errors import Reason, TouchpointRejectedError
from models.events import (
    CustomerAbsorbed,
    CustomerMerged,
    CustomerRefolded,
    CustomerRegrouped,
    EpisodesReturned,
    TimerFired,
    Touchpoint,
    Wire,
    decode_event,
    encode_event,
    parse,
)
from models.upcasters import UPCASTERS, upcast

FILES = sorted((Path(__file__).parent / "versions").glob("*.json"))
KINDS = (
    *get_args(get_args(Touchpoint)[0]),
    *(CustomerMerged, CustomerAbsorbed, CustomerRegrouped, CustomerRefolded),
    *(EpisodesReturned, TimerFired),
)
NOW_MS = 1_795_312_800_000  # 2026-11-22T02:00:00Z


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_an_old_version_is_logged_as_the_newest(file):
    case = json.loads(file.read_bytes())
    event = parse(json.dumps(case["sent"]).encode(), Wire("native", NOW_MS, "shop"))
    assert json.loads(encode_event(event)) == case["logged"]


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_an_old_version_in_the_log_is_read_as_the_newest(file):
    case = json.loads(file.read_bytes())
    logged = json.dumps(case["logged"]).encode()
    only_new = set(case["logged"]) - set(case["sent"]) - {"received_at", "source"}
    old = {name: value for name, value in case["logged"].items() if name not in only_new}
    old |= {name: value for name, value in case["sent"].items() if name != "identifiers"}
    zone = {name: case["logged"][name] for name in only_new & {"utc_offset_minutes"}}
    assert decode_event(json.dumps(old | zone).encode()) == decode_event(logged)


def test_every_upcaster_has_its_golden_file():
    steps = {f"{kind}_v{number + 1}" for kind, s in UPCASTERS.items() for number in range(len(s))}
    assert steps == {file.stem for file in FILES}


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_each_class_is_as_new_as_its_last_upcaster(kind):
    steps = UPCASTERS.get(kind.model_fields["type"].default, ())
    assert kind.model_fields["schema_version"].default == len(steps) + 1


def test_types_are_named_after_their_classes():
    for kind in KINDS:
        words = kind.model_fields["type"].default.split("_")
        assert "".join(word.capitalize() for word in words) == kind.__name__


def test_a_version_from_the_future_is_rejected_not_guessed():
    with pytest.raises(TouchpointRejectedError, match="versions 1 to 2") as rejected:
        upcast({"type": "page_viewed", "schema_version": 9})
    assert rejected.value.reason is Reason.UNKNOWN_VERSION
