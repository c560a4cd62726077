"""The API has loaded what it reads telephone numbers with before its first request."""

from tests.support.imports import imported_late

RUN = """
import sys
from projections.serve import __main__ as part

class Server:
    def __init__(self, *_): pass

    def run(self):
        before = set(sys.modules)
        from models.naming import derive
        assert derive("phone:+821012345678")
        print("new:", *sorted(set(sys.modules) - before))

part.Server = Server
sys.exit(part.main())
"""


def test_a_telephone_number_asked_for_imports_nothing():
    late = imported_late(RUN, C360_API_KEYS="test=" + "k" * 32)
    # A country's own plan is a millisecond, and there are hundreds.
    assert [one for one in late if not one.startswith("phonenumbers.data.region_")] == []
