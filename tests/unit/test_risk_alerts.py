"""Episodes of churn risk: they open, close and survive merges, and say so once."""

from msgspec.structs import replace

from models.alerts import RULE
from models.catalogue import Catalogue
from models.customer import Customer
from models.judge import Judge
from models.judgement import absorb, judged, note, wakes
from models.profile import Profile
from models.rhythm import DAY_MS

T0 = 1_780_000_000_000
JUDGE = Judge.untrained()


def at(day):
    return T0 + int(day * DAY_MS)


def touched(customer, day):
    return judged(
        note(customer, "order_placed", at(day)), at(day), at(day), f"e{day}", JUDGE, touch=True
    )


def regular(customer_id="c_1"):
    customer = Customer(
        customer_id=customer_id, profile=Profile(identifiers={"email:a@b.c": 1, "user_id:7": 2})
    )
    for day in range(0, 100, 10):
        customer = touched(customer, day).customer
    return customer


def silent(customer, until):
    alerts = []
    while wakes(customer, JUDGE) and (due := min(wakes(customer, JUDGE).values())) <= at(until):
        made = judged(customer, due, due + 5, f"t{due}", JUDGE, touch=False)
        customer, alerts = made.customer, alerts + made.alerts
    return customer, alerts


def come_back_and_leave(customer):
    alerts = []
    for day in (2_001, 2_004):
        made = touched(customer, day)
        customer, alerts = made.customer, alerts + made.alerts
    return alerts + silent(customer, 4_000)[1]


def test_silence_opens_an_episode_once():
    customer, alerts = silent(regular(), 90 + 60)
    assert [alert.alert_id for alert in alerts] == ["churn_risk:c_1:1:opened"]
    assert customer.episodes[RULE].status == "open"


def test_an_alert_says_whom_why_and_when():
    _, [alert] = silent(regular(), 150)
    assert alert.identifiers == ["email:a@b.c", "user_id:7"]
    assert alert.reasons[0].feature == "silence"
    assert alert.probability >= JUDGE.catalogue.risk.high
    assert alert.received_ms == alert.at_ms + 5


def test_who_returns_is_saved():
    customer, _ = silent(regular(), 150)
    made = touched(customer, 151)
    assert [(a.status, a.outcome, a.episode_id) for a in made.alerts] == [
        ("closed", "saved", "churn_risk:c_1:1")
    ]


def test_who_came_as_the_episode_opened_has_not_come_back_since():
    customer, [alert] = silent(regular(), 150)
    for late, outcome in ((0, "eased"), (1, "saved")):
        told = note(customer, "order_placed", alert.at_ms + late)
        made = judged(told, told.clock_ms, told.clock_ms, "late", JUDGE, touch=True)
        assert [one.outcome for one in made.alerts] == [outcome]


def test_who_does_not_return_within_the_horizon_is_lost_and_alarms_no_more():
    _, alerts = silent(regular(), 2_000)
    assert [(a.status, a.outcome) for a in alerts] == [("opened", None), ("closed", "lost")]
    assert alerts[1].at_ms == alerts[0].at_ms + 30 * DAY_MS


def test_who_comes_back_after_being_lost_can_alarm_again():
    customer, _ = silent(regular(), 2_000)
    alerts = come_back_and_leave(customer)
    assert [alert.alert_id for alert in alerts] == [
        "churn_risk:c_1:2:opened",
        "churn_risk:c_1:2:closed",
    ]


def test_between_the_two_thresholds_nothing_happens():
    middle = Judge.untrained(Catalogue.model_validate({"risk": {"high": 0.999, "low": 0.0001}}))
    customer, _ = silent(regular(), 150)
    made = judged(customer, at(160), at(160), "t", middle, touch=False)
    assert made.alerts == []


def test_a_stranger_seen_once_raises_no_alarm():
    first = touched(Customer(customer_id="c_1"), 0)
    customer, alerts = silent(first.customer, 1_000)
    assert first.scores[0].probability > JUDGE.catalogue.risk.high
    assert (first.alerts, alerts, customer.episodes) == ([], [], {})


def test_a_merge_hands_an_open_episode_on_under_its_own_id():
    loser, _ = silent(regular("c_2"), 150)
    made = absorb(
        replace(Customer(customer_id="c_1"), clock_ms=at(150)), loser, at(150), at(150), "m"
    )
    assert made.alerts == []
    back = touched(made.customer, 151)
    assert [(a.alert_id, a.customer_id) for a in back.alerts] == [
        ("churn_risk:c_2:1:closed", "c_1")
    ]


def test_a_merge_of_two_open_episodes_closes_one_as_merged():
    a, _ = silent(regular("c_1"), 150)
    b, _ = silent(regular("c_2"), 150)
    made = absorb(a, b, at(150), at(150), "m")
    assert [(x.alert_id, x.outcome) for x in made.alerts] == [("churn_risk:c_2:1:closed", "merged")]
    assert made.customer.episodes[RULE] == a.episodes[RULE]


def test_numbers_go_on_after_a_merge_so_that_no_id_comes_twice():
    loser, _ = silent(regular("c_2"), 2_000)
    made = absorb(Customer(customer_id="c_1"), loser, at(2_000), at(2_000), "m")
    alerts = come_back_and_leave(made.customer)
    assert alerts[0].alert_id == "churn_risk:c_1:2:opened"
