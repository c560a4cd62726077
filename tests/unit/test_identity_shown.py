"""`c360 identity show` says of each cut and each refusal what it means and what one may do."""

from datetime import UTC, datetime
from typing import get_args

import pytest
from rich.console import Console

from infra.cli import identity_view
from infra.cli.identity import state
from models.links import MEANS, WAYS, Edge, Identity, Why

ANA, BEN, MAIL = "c_" + "a" * 20, "c_" + "b" * 20, "c_" + "c" * 20
AT = datetime(2026, 11, 1, tzinfo=UTC)


def link(of, to, state):
    return {
        "link_id": f"l_{of}_{to}",
        "kind": "observed",
        "customer_id": of,
        "other": to,
        "at": AT,
        "by": "",
        "reason": "",
        "state": state,
    }


def shown(links, refused):
    found = {
        "customer": {
            "customer_id": ANA,
            "version": 3,
            "complete": True,
            "members": [{"customer_id": ANA, "identifier": None}],
            "identifiers": [],
        },
        "links": links,
        "history": [],
        "refused": refused,
        "advice": identity_view.advice(links, refused),
    }
    console = Console(width=300)
    with console.capture() as said:
        console.print(identity_view.whole(found, {ANA: "user_id:ana"}, {}))
    return said.get()


def refusal(reason):
    return {"customer_id": ANA, "other": BEN, "reason": reason, "at": AT}


@pytest.mark.parametrize("reason", get_args(Why))
def test_a_refusal_is_shown_with_what_it_means_and_what_to_do(reason):
    said = shown([], [refusal(reason)])
    assert MEANS[reason] in said
    assert WAYS[reason] in said


def test_a_cut_is_shown_with_what_joins_the_two_again():
    said = shown([link(BEN, ANA, "cut")], [])
    assert WAYS["unmerged"] in said
    assert "joined again" not in said


def test_a_cut_whose_two_ends_are_one_customer_again_is_told():
    nodes = {ANA: Identity(links={MAIL: Edge("identified", "cut")}), MAIL: Identity(parent=ANA)}
    assert state(nodes, [ANA, MAIL], MAIL, ANA) == "cut, joined again"
    assert state(nodes, [ANA], MAIL, ANA) == "cut"
    assert "unmerge again" in shown([link(MAIL, ANA, "cut, joined again")], [])


def test_nothing_is_advised_where_nothing_is_cut_or_refused():
    assert "what to do" not in shown([link(BEN, ANA, "holds")], [])
