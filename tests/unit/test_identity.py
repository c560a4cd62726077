"""Who an event belongs to."""

import pytest

from models.errors import Reason, TouchpointRejectedError
from models.events import CustomerAliased, Identifier, PageViewed
from models.identity import customer_id_of, identify, normalise, primary
from tests.support.histories import event


def spelt(kind, value):
    found = normalise(Identifier(type=kind, value=value))
    return found and found.value


@pytest.mark.parametrize(
    ("kind", "given", "expected"),
    [
        ("email", "  Ana.Kim@Example.COM ", "ana.kim@example.com"),
        ("email", "ＡＮＡ@example.com", "ana@example.com"),
        ("email", "ana@example.com.", "ana@example.com"),
        ("phone", "+82 (10) 1234-5678", "+821012345678"),
        ("phone", "0082 10 1234 5678", "+821012345678"),
        ("phone", "010-1234-5678", "01012345678"),
        ("phone", "1-2345", "12345"),
        ("phone", "123456789012345", "123456789012345"),
        ("loyalty_card", "gold 1234-5678", "GOLD12345678"),
        ("device_id", "AEBE52E7-03EE-455A", "aebe52e7-03ee-455a"),
        ("user_id", " Ana ", "Ana"),
        ("user_id", "1", "1"),
    ],
)  # fmt: skip
def test_two_spellings_of_an_identifier_are_one(kind, given, expected):
    assert spelt(kind, given) == expected
    assert spelt(kind, expected) == expected


@pytest.mark.parametrize(
    ("kind", "given"),
    [(kind, value) for kind in ("user_id", "anonymous_id") for value in
     ("null", "None", " NULL ", "undefined", "anonymous", "-1", "0", "000", "NaN", "  ",
      "00000000-0000-0000-0000-000000000000", "[object Object]")]
    + [("email", "not an address"), ("email", "@example.com"), ("email", "ana@"),
       ("email", "test@test.com"), ("phone", "1234"), ("phone", "1234567890123456"),
       ("phone", "11111111"), ("loyalty_card", "- -")],
)  # fmt: skip
def test_what_client_libraries_send_for_nobody_names_nobody(kind, given):
    assert spelt(kind, given) is None


def test_the_strongest_identifier_names_the_customer():
    kinds = ("anonymous_id", "device_id", "phone", "email", "loyalty_card", "user_id")
    named = [Identifier(type=kind, value="+8210123456@x") for kind in kinds]
    for strongest in range(len(kinds)):
        assert primary(named[: strongest + 1]).type == kinds[strongest]


def test_of_two_equally_strong_the_first_names_the_customer():
    one, two = (Identifier(type="email", value=f"{name}@x.com") for name in "ba")
    assert primary([one, two]) == one


def test_an_event_is_keyed_by_who_it_names_however_that_is_spelt():
    spelling = [Identifier(type="email", value=value) for value in ("ANA@x.com", "ana@X.com")]
    first, second = (identify(event(who=(one,)), "touchpoints/3", 7) for one in spelling)
    assert first.customer_id == second.customer_id == customer_id_of(first.identifiers[0])
    assert list(map(str, first.identifiers)) == ["email:ana@x.com"]
    assert (first.origin, first.origin_offset) == ("touchpoints/3", 7)


def test_an_identifier_that_names_nobody_is_left_out():
    who = (Identifier(type="user_id", value="null"), Identifier(type="anonymous_id", value="a-1"))
    (named,) = identify(event(who=who), "", -1).identifiers
    assert str(named) == "anonymous_id:a-1"


@pytest.mark.parametrize(
    ("kind", "fields", "where"),
    [
        (PageViewed, {"who": (Identifier(type="user_id", value="null"),)}, "identifiers"),
        (CustomerAliased, {"previous": (Identifier(type="user_id", value="0"),)}, "previous"),
    ],
)
def test_an_event_that_names_nobody_is_rejected(kind, fields, where):
    with pytest.raises(TouchpointRejectedError) as rejected:
        identify(event(kind, **fields), "touchpoints/0", 0)
    assert (rejected.value.reason, rejected.value.where) == (Reason.NO_IDENTIFIER, where)
