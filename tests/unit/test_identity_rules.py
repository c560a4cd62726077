"""The rules that a deployment may set for who is one customer."""

import pytest

from infra.settings import IDENTITY_FILE, SettingsError
from models.events import CustomerIdentified, Identifier
from models.identity import customer_id_of, identify, normalise
from models.identity_rules import SHIPPED, Rules, RulesError, parse
from models.links import links_of
from tests.support.histories import event


def spelt(kind, value, **rules):
    found = normalise(Identifier(type=kind, value=value), Rules(**rules))
    return found and found.value


def test_the_file_that_ships_says_what_holds_without_one():
    assert parse(IDENTITY_FILE.read_text(encoding="utf-8")).model_dump() == SHIPPED.model_dump()


def test_what_a_file_leaves_out_is_as_shipped():
    rules = parse("shared_after = 5\n[limits]\nemail = 2\n")
    assert (rules.shared_after, rules.limits.email, rules.limits.phone) == (5, 2, 5)
    assert rules.blocked == SHIPPED.blocked


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("shared_after = 3\npriority = }", "not TOML: Invalid value (at line 2, column 12)"),
        ("shared_after = 1", "shared_after: Value error, with 1 every device is shared"),
        ("[limits]\nemail = 0", "limits.email: "),
        ("[limits]\ntotal = 1001", "limits.total: "),
        ("[limits]\nfax = 3", "limits.fax: Extra inputs"),
        ('priority = ["user_id"]', "priority: Value error, must name each once"),
        ('unique = ["passport"]', "unique.0: "),
        ('phone_region = "Korea"', "phone_region: "),
        ('phone_region = "XX"', "phone_region: Value error, no region XX has numbers"),
        ('[blocked.email]\npatterns = ["a", "("]', "blocked.email.patterns: Value error, 1: not"),
        ("[blocked.fax]\nvalues = []", "blocked.fax"),
    ],
)
def test_a_mistake_in_the_file_is_told_with_its_place(make_settings, tmp_path, text, told):
    file = tmp_path / "identity.toml"
    file.write_text(text)
    with pytest.raises(RulesError) as wrong:
        parse(text)
    assert str(wrong.value).startswith(told)
    with pytest.raises(SettingsError) as setting:
        make_settings(identity_file=file).identity_rules()
    assert str(setting.value).startswith(f"C360_IDENTITY_FILE: {file}: {told}")


def test_a_file_that_cannot_be_read_is_told(make_settings, tmp_path):
    with pytest.raises(
        SettingsError, match=r"C360_IDENTITY_FILE: cannot read .*none\.toml: No such"
    ):
        make_settings(identity_file=tmp_path / "none.toml").identity_rules()


@pytest.mark.parametrize(
    ("region", "given", "expected"),
    [
        ("KR", "010-1234-5678", "+821012345678"),
        ("KR", "0082 10 1234 5678", "+821012345678"),
        ("KR", "+1 (415) 555-2671", "+14155552671"),
        ("US", "(415) 555-2671", "+14155552671"),
        ("US", "415 555 2671 ext. 12", "+14155552671"),
        ("US", "010-1234-5678", None),
        ("KR", "12", None),
        ("KR", "ask my wife", None),
        ("", "+999 123 456 78", None),
        ("", "+82 10 1234 5678 9999 9999", None),
        ("", "0044 20 7946 0018", "+442079460018"),
        ("", "010-1234-5678", "01012345678"),  # nobody says which country's
    ],
)
def test_a_number_is_spelt_with_its_country_or_names_nobody(region, given, expected):
    assert spelt("phone", given, phone_region=region) == expected
    if expected:
        assert spelt("phone", expected, phone_region=region) == expected


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (" SalesForce : 0031x ", "salesforce:0031x"),
        ("erp:a:b", "erp:a:b"),
        ("erp", None),
        (":1", None),
        ("erp:", None),
        ("erp:null", None),
        ("erp:000", None),
        ("e rp:1", None),
    ],
)
def test_an_id_in_another_system_has_that_systems_name(given, expected):
    assert spelt("external_id", given) == expected


def test_ids_of_two_systems_are_never_one():
    one, two = (Identifier(type="external_id", value=value) for value in ("crm:1", "erp:1"))
    assert customer_id_of(normalise(one)) != customer_id_of(normalise(two))


@pytest.mark.parametrize("inbox", ["info@x.com", "NoReply@x.com", "support@x.co.kr"])
def test_an_inbox_that_many_read_names_nobody(inbox):
    assert spelt("email", inbox) is None
    assert spelt("email", inbox, blocked={}) == inbox.casefold()


def test_a_deployment_blocks_what_its_own_systems_send_for_nobody():
    blocked = {"all": {"values": ["TBD"]}, "user_id": {"patterns": ["tmp-[0-9]+"]}}
    assert spelt("user_id", "tbd", blocked=blocked) is None
    assert spelt("user_id", "TMP-12", blocked=blocked) is None
    assert spelt("user_id", "tmp-12a", blocked=blocked) == "tmp-12a"
    assert spelt("anonymous_id", "tmp-12", blocked=blocked) == "tmp-12"


def test_what_is_blocked_is_so_in_every_spelling():
    blocked = {"email": {"values": ["ana@x.com"]}}
    assert spelt("email", "ANA@x.com.", blocked=blocked) is None


def test_the_order_of_types_says_who_names_the_customer_and_what_is_linked_to_whom():
    order = ("email", *(kind for kind in SHIPPED.priority if kind != "email"))
    rules = Rules(priority=order)
    user, mail = (Identifier(type=kind, value=f"ana@{kind}") for kind in ("user_id", "email"))
    seen = event(CustomerIdentified, who=(user, mail))
    for given, main, other in ((rules, mail, user), (SHIPPED, user, mail)):  # neither's cache
        named = identify(seen, "touchpoints/0", 0, given)
        assert named.customer_id == customer_id_of(main)
        (link,) = links_of(named, rules=given)
        assert (link.left, link.right) == (customer_id_of(other), customer_id_of(main))
