"""Real input: CDNOW's purchases go in as a file and come out as profiles, scores and rows."""

import json
import subprocess
import sys
from collections import defaultdict
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from importlib.metadata import files
from pathlib import Path

import pytest

from infra.settings import Settings
from models.customer import Customer, decode
from models.events import Identifier, IdentifierType
from models.identity import customer_id_of
from models.topics import DEAD_LETTERS, PROFILES
from projections.client import connect
from projections.migrate import migrate
from tests.support.kafka_log import newest
from tests.support.waiting import until

pytestmark = [pytest.mark.stack, pytest.mark.timeout(1_200)]
CUSTOMERS = 23_570
SECONDS = 600


@dataclass
class Bought:
    """One customer's purchases, computed from the file alone."""

    orders: int = 0
    units: int = 0
    cents: int = 0
    first: datetime | None = None
    last: datetime | None = None

    def add(self, day: datetime, units: int, cents: int) -> None:
        self.orders += 1
        self.units += units
        self.cents += cents
        self.first = min(day, self.first or day)
        self.last = max(day, self.last or day)


@pytest.fixture
def purchases(tmp_path) -> tuple[Path, dict[str, Bought]]:
    (packed,) = [one for one in files("Lifetimes") if one.name == "CDNOW_master.txt"]
    header, *lines = Path(str(packed.locate())).read_text().splitlines()
    chosen, bought = [header], defaultdict(Bought)
    for line in lines:
        customer, day, units, dollars = line.split()
        when = datetime.strptime(day, "%Y%m%d").replace(tzinfo=UTC)
        bought[customer].add(when, int(units), int(Decimal(dollars) * 100))
        chosen.append(line)
    assert len(bought) == CUSTOMERS
    path = tmp_path / "CDNOW_master.txt"
    path.write_text("\r\n".join(chosen) + "\r\n")
    return path, dict(bought)


def ingest(settings: Settings, path: Path) -> dict:
    words = [sys.executable, "-m", "infra.cli", "ingest", str(path)]
    done = subprocess.run(
        [*words, "--mapping", "cdnow", "--source", "cdnow", "--json"],
        env=settings.environ() | {"PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    (result,) = json.loads(done.stdout)
    return result


def profiles(settings: Settings) -> dict[str, Customer]:
    values = newest(settings.kafka, settings.topic(PROFILES)).values()
    return {customer.customer_id: customer for customer in map(decode, values)}


def test_cdnows_purchases_become_profiles_scores_and_rows_with_the_files_own_totals(
    stack_settings, start_part, purchases
):
    settings = stack_settings
    path, bought = purchases
    orders = sum(one.orders for one in bought.values())
    migrate(settings)
    start_part(settings, "streams", "worker")
    start_part(settings, "projections")

    assert ingest(settings, path)["sent"] == orders
    assert ingest(settings, path)["sent"] == 0  # a second time adds nothing

    with connect(settings) as client:

        def ask(sql: str) -> list:
            return client.query(sql).result_rows

        until(lambda: ask("SELECT count() FROM touchpoints FINAL") == [(orders,)], SECONDS)
        until(lambda: ask("SELECT sum(orders) FROM profiles FINAL") == [(orders,)], SECONDS)
        found = profiles(settings)
        expected = {
            customer_id_of(Identifier(type=IdentifierType.USER_ID, value=name)): one
            for name, one in bought.items()
        }
        assert found.keys() == expected.keys()
        for customer_id, one in expected.items():
            check(found[customer_id], one)

        units = sum(one.units for one in bought.values())
        dollars = Decimal(sum(one.cents for one in bought.values())) / 100
        in_the_log = "SELECT count(), uniqExact(customer_id), sum(amount), sum(units)"
        assert ask(f"{in_the_log} FROM touchpoints FINAL") == [
            (orders, len(bought), dollars, units)
        ]
        in_profiles = "SELECT count(), sum(orders), sum(units), sum(revenue['USD'])"
        assert ask(f"{in_profiles} FROM profiles FINAL") == [(len(bought), orders, units, dollars)]
        assert ask("SELECT countIf(churn_probability IS NULL) FROM profiles FINAL") == [(0,)]
    assert newest(settings.kafka, settings.topic(DEAD_LETTERS)) == {}


def check(customer: Customer, bought: Bought) -> None:
    profile = customer.profile
    assert (profile.orders, profile.items) == (bought.orders, bought.units)
    assert profile.revenue == {"USD": bought.cents}
    assert profile.first_order_ms == int(bought.first.timestamp() * 1000)
    assert profile.last_order_ms == int(bought.last.timestamp() * 1000)
    assert customer.risk is not None
    assert 0 < customer.risk.probability < 1
