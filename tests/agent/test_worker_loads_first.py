"""A worker has loaded what its steps need before it takes partitions: later all of them wait."""

from tests.support.imports import imported_late

# In the place of Faust's worker, all steps work once; what they import then is told.
RUN = """
import sys
from streams.__main__ import bind, main

app = bind()

class Worker:
    def __init__(self, **_): pass

    def execute_from_commandline(self):
        before = set(sys.modules)
        work()
        print("new:", *sorted(set(sys.modules) - before))

def work():
    from models.events import Identifier
    from models.identity import customer_id_of
    from models.online.learner import MODELS
    from models.records import Example
    from streams.lane import Batch, Outbox, Record, View
    from streams.learn import School
    import msgspec

    assert customer_id_of(Identifier(type="phone", value="+821012345678"))
    for at, model in enumerate(MODELS):
        example = Example(
            example_id=model, customer_id="c", model=model, model_version=0, at_ms=at, label_ms=at,
            features={"silence": 1.0}, label=1.0, probability=0.5, arm="coupon",
        )
        record = Record(at, model.encode(), msgspec.json.encode(example))
        School(b"key").advance(Batch("examples", 0, (record,)), View({}), Outbox())

app.Worker = Worker
sys.exit(main())
"""


def test_no_step_imports_anything_once_the_worker_runs():
    assert imported_late(RUN, C360_SNAPSHOT_SECRET="x" * 32) == []
