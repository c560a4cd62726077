"""What the demo runs with: offers whose windows end while one looks, unless asked for others."""

from infra.cli.up import for_demo
from infra.settings import OFFERS_FILE, Settings
from models.catalogue import parse


def test_the_demos_offers_end_while_one_looks():
    usual = parse(Settings().offers_text())
    demo = parse(for_demo(Settings()).offers_text())
    assert demo.policy.window_days * 24 * 60 < 5  # minutes
    assert usual.policy.window_days > 1
    assert [offer.id for offer in demo.offers] == [offer.id for offer in usual.offers]
    for one, other in zip(demo.offers, usual.offers, strict=True):
        assert (one.channels, one.value, one.cost) == (other.channels, other.value, other.cost)


def test_what_was_asked_for_stays():
    given = Settings(offers_file=OFFERS_FILE, backfill_grace_seconds=600)
    assert for_demo(given) == given
