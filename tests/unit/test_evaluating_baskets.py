"""Baskets of anybody's file, guessed before they are learnt."""

import json
import random

import pytest
from typer.testing import CliRunner

from infra.cli import app
from models.online.prequential_baskets import Basket, evaluate


def world(number=3_000, seed=5, linked=True):
    """Each of 20 products has a partner that goes with it, if `linked`; all sell alike."""
    chance = random.Random(seed)
    for _ in range(number):
        one = chance.randrange(20)
        other = one + 100 if linked and chance.random() < 0.7 else 100 + chance.randrange(20)
        yield Basket([f"p{one}", f"p{other}"], f"c{chance.randrange(400)}")


def test_what_goes_together_is_guessed_and_beats_the_best_sellers():
    result = evaluate(world(), 3_000)
    assert result["hit_rate"] > 0.6
    assert result["hit_rate_popular"] < 0.3
    assert result["lead_interval"][0] > 0.2
    assert all(
        int(pair["products"][1][1:]) - int(pair["products"][0][1:]) in (100, -100)
        for pair in result["pairs"]
    )


def test_where_nothing_goes_together_no_lead_is_claimed():
    result = evaluate(world(linked=False), 3_000)
    assert result["lead_interval"][0] < 0.05


def test_the_same_baskets_give_the_same_result():
    assert evaluate(world(500), 500) == evaluate(world(500), 500)


def test_no_basket_is_learnt_before_it_is_tried():
    once = [Basket([f"a{n}", f"b{n}"]) for n in range(200)]
    assert evaluate(once, 200)["hit_rate"] == 0


@pytest.mark.parametrize("baskets", [[], [Basket([])], [Basket(["a"])], [Basket(["a", "a"])]])
def test_too_little_gives_no_figures(baskets):
    assert "hit_rate" not in evaluate(baskets, len(baskets))


@pytest.fixture
def run():
    return lambda *given: CliRunner().invoke(app, ["models", "evaluate-baskets", *map(str, given)])


def test_a_row_for_each_product_or_a_row_for_each_order_give_the_same(run, tmp_path):
    long, wide = tmp_path / "long.csv", tmp_path / "wide.csv"
    rows = list(world(400))
    long.write_text(
        "no,sku,who\n"
        + "".join(
            f"{n},{sku},{one.customer}\n" for n, one in enumerate(rows) for sku in one.products
        )
    )
    wide.write_text(
        "skus;who\n" + "".join(f"{'|'.join(one.products)};{one.customer}\n" for one in rows)
    )
    by_row = run(long, "--product", "sku", "--basket", "no", "--customer", "who", "--json")
    by_order = run(wide, "--product", "skus", "--separator", "|", "--customer", "who", "--json")
    assert json.loads(by_row.stdout) == json.loads(by_order.stdout)
    assert json.loads(by_row.stdout)["baskets"] == 400
    assert "among 5 guesses" in " ".join(
        run(long, "--product", "sku", "--basket", "no").stdout.split()
    )


def test_orders_are_taken_in_the_order_of_their_times(run, tmp_path):
    file = tmp_path / "orders.jsonl"
    told = [
        {"at": f"2026-01-{30 - n:02}", "no": f"o{n}", "sku": sku}
        for n in range(20)
        for sku in ("a", f"b{n}")
    ]
    file.write_text(
        "\n".join(map(json.dumps, told)) + '\n{"at": null, "no": "x", "sku": "y"}\nnonsense\n'
    )
    result = json.loads(
        run(file, "--product", "sku", "--basket", "no", "--time", "at", "--json").stdout
    )
    assert (result["baskets"], result["unusable_rows"]) == (20, 2)


def test_a_column_that_is_not_there_is_named_with_those_that_are(run, tmp_path):
    file = tmp_path / "orders.csv"
    file.write_text("no,sku\n1,a\n")
    answer = run(file, "--product", "item", "--basket", "no")
    assert answer.exit_code != 0
    assert "item" in str(answer.exception) + answer.output
    assert run(file, "--product", "sku").exit_code != 0
