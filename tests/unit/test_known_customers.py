"""Customers kept decoded between batches: only ever as the state has them."""

from models.customer import Customer, decode, encode
from streams.known import Known

KEY = b"c_ana"


def written(known: Known, version: int, key: bytes = KEY) -> bytes:
    return known.write(key, Customer(customer_id=key.decode(), version=version))


def test_a_customer_just_written_is_not_decoded_again():
    known = Known()
    customer = Customer(customer_id="c_ana", version=7)
    value = known.write(KEY, customer)
    assert known.read(KEY, value) is customer


def test_what_was_written_is_what_another_worker_would_read():
    assert decode(written(Known(), 7)).version == 7


def test_a_batch_that_was_refused_leaves_no_trace():
    known = Known()
    durable = written(known, 1)
    written(known, 2)  # never became visible: the state still has the first one
    assert known.read(KEY, durable).version == 1


def test_a_value_that_somebody_else_wrote_is_read_anew():
    known = Known()
    written(known, 1)
    theirs = encode(Customer(customer_id="c_ana", version=5))
    assert known.read(KEY, theirs).version == 5


def test_of_whom_nothing_is_stored_nothing_is_known():
    known = Known()
    written(known, 3)
    assert known.read(KEY, None) == Customer(customer_id="c_ana")


def test_only_the_newest_are_kept():
    known = Known(limit=2)
    values = {key: written(known, 1, key) for key in (b"c_1", b"c_2", b"c_3")}
    kept = {
        key for key, value in values.items() if known.read(key, value) is known.read(key, value)
    }
    assert kept == {b"c_2", b"c_3"}
