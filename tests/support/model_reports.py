"""What a real learner reports of a small churn model, with a command at its end."""

import random

from models.online.learner import Lesson, Order, resume
from models.records import Command, Example, pack


def reports(examples=60):
    rng, learner = random.Random(3), resume("churn")
    for number in range(examples):
        x = {"silence": rng.gauss(0, 1), "visits": rng.gauss(0, 1)}
        example = Example(
            example_id=f"churn:{number}",
            customer_id="c_1",
            model="churn",
            model_version=0,
            at_ms=0,
            label_ms=1_790_000_000_000 + number,
            features=pack(x),
            label=float(rng.random() < 1 / (1 + 2.7 ** -x["silence"])),
            probability=0.4,
            horizon="silence-30/1",
            acted=number % 3 == 0,
        )
        learner.learn([Lesson(number, example, x)])
    frozen = Command(
        command_id="1", model="churn", action="freeze", at_ms=1, by="kim", reason="<b>stop</b>"
    )
    learner.learn([Order(examples, frozen)])
    return learner.told().reports
