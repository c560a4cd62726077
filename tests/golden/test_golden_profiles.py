"""A folder is a customer: touchpoints as they came, old versions too, and the profile, for ever.

`added.json` beside a profile has the fields that profiles got later, `reread.json` the opinions as
a newer lexicon reads them: the file itself stays.
"""

import json
from functools import reduce
from pathlib import Path

import msgspec
import pytest
from msgspec import Struct

from models.events import Wire, parse
from models.identity import identify
from models.profile import Profile, evolve, moments
from models.profile.laws import LAWS
from models.seen import mark_of

CASES = sorted((Path(__file__).parent / "profiles").iterdir())
NOW_MS = 1_795_312_800_000  # 2026-11-22T02:00:00Z


def touchpoints(case):
    lines = (case / "touchpoints.jsonl").read_bytes().splitlines()
    for offset, line in enumerate(lines):
        wire = Wire("native", NOW_MS, "shop", topic="touchpoints", partition=0, offset=offset)
        yield identify(parse(line, wire), "touchpoints/0", offset)


def told(one):
    """Spell a profile out: every field by its name, but for those that say nothing."""
    if isinstance(one, Profile):
        one = {**msgspec.structs.asdict(one), "recent": moments(one.recent)}
        defaults = {**msgspec.structs.asdict(Profile()), "recent": []}
        return {name: told(value) for name, value in one.items() if value != defaults[name]}
    if isinstance(one, Struct):
        fields = msgspec.structs.fields(one)
        pairs = ((field, getattr(one, field.name)) for field in fields)
        return {field.name: value for field, value in pairs if value != field.default}
    if isinstance(one, dict):
        return {str(name): told(value) for name, value in one.items()}
    return [told(value) for value in one] if isinstance(one, list) else one


def expected(case):
    """Read the profile that a folder's touchpoints give, as JSON has it: by week, a text."""
    fields = json.loads((case / "profile.json").read_bytes())
    for later in (case / "added.json", case / "reread.json"):
        fields |= json.loads(later.read_bytes()) if later.exists() else {}
    return fields


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_these_touchpoints_give_this_profile(case):
    once = {mark_of(event): event for event in touchpoints(case)}
    profile = reduce(evolve, once.values(), Profile())
    assert told(profile) == expected(case)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_what_was_added_to_a_profile_changes_nothing_that_was_there(case):
    added = case / "added.json"
    before = json.loads((case / "profile.json").read_bytes())
    assert not added.exists() or json.loads(added.read_bytes()).keys().isdisjoint(before)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_only_opinions_are_read_anew(case):
    reread = case / "reread.json"
    opinions = {"sentiment", "sentiment_weeks", "sentiment_by"}
    assert not reread.exists() or json.loads(reread.read_bytes()).keys() <= opinions


def test_the_cases_touch_every_field_of_a_profile():
    told = set()
    for case in CASES:
        told |= expected(case).keys()
    assert told == set(LAWS)
