"""What customers want of people: calls, complaints, visits, and what they think of it."""

from __future__ import annotations

from infra.simulator import words
from infra.simulator.scene import Scene


def call(scene: Scene) -> None:
    """Ring the call centre; a long wait makes a complaint likelier."""
    person, rng = scene.person, scene.rng
    waited = rng.expovariate(1 / 180)
    solved = rng.random() < 0.75
    scene.say(
        "call_received",
        "phone",
        "phone",
        duration_seconds=rng.randint(60, 1_200),
        wait_seconds=round(waited, 1),
        outcome="resolved" if solved else "unresolved",
        agent=rng.choice(words.AGENTS),
        topic=rng.choice(("billing", "delivery", "coverage", "contract")),
    )
    if person.ticket is None and (waited > 400 or not solved):
        _open_ticket(scene, complaint=waited > 400 or rng.random() < 0.5)


def ask(scene: Scene) -> None:
    """Write to support, or get the answer to what was asked, and rate it."""
    person, rng = scene.person, scene.rng
    if person.ticket is None:
        return _open_ticket(scene, complaint=rng.random() < 0.45)
    solved = rng.random() < 0.8
    agent = rng.choice(words.AGENTS)
    scene.say("call_made", "phone", "phone", duration_seconds=rng.randint(30, 600), agent=agent)
    scene.say(
        "ticket_closed",
        "chat",
        "person",
        ticket_id=person.ticket,
        resolution="solved" if solved else "unsolved",
        agent=agent,
    )
    person.ticket = None
    person.upset = person.upset and not solved
    return rate(scene, pleased=solved)


def _open_ticket(scene: Scene, *, complaint: bool) -> None:
    person = scene.person
    person.ticket = scene.name("t")
    person.upset = person.upset or complaint
    scene.say(
        "ticket_opened",
        "chat",
        "person",
        ticket_id=person.ticket,
        kind="complaint" if complaint else "question",
        priority="high" if complaint else "normal",
        text=scene.words(words.COMPLAINTS if complaint else words.QUESTIONS),
    )


def rate(scene: Scene, *, pleased: bool | None = None) -> None:
    """Answer a survey."""
    person, rng = scene.person, scene.rng
    good = (not person.upset and rng.random() < 0.8) if pleased is None else pleased
    text = scene.words(words.PRAISE if good else words.BLAME)
    kind = rng.choice(("nps", "csat"))
    low, high = {"nps": (1, 9), "csat": (1, 4)}[kind]
    score = rng.randint(high, high + 1) if good else rng.randint(low, high // 2)
    scene.say("feedback_given", "app", "person", kind=kind, score=score, text=text)


def visit(scene: Scene) -> None:
    """Go to a branch, or have a technician in."""
    person, rng = scene.person, scene.rng
    technician = person.sector == "telecom" and rng.random() < 0.3
    scene.say(
        "visit_made",
        "field" if technician else "branch",
        "card",
        kind="technician" if technician else "branch",
        place=person.city,
        wait_seconds=rng.randint(0, 1_500),
        duration_seconds=rng.randint(120, 2_400),
        staff=rng.choice(words.AGENTS),
    )
