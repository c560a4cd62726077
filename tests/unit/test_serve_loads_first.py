"""The API has loaded what it reads telephone numbers with before its first request."""

import os
import subprocess
import sys

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
    done = subprocess.run(
        [sys.executable, "-c", RUN],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"C360_API_KEYS": "test=" + "k" * 32},
    )
    assert done.returncode == 0, done.stderr
    # A country's own plan is a millisecond, and there are hundreds.
    new = [one for one in done.stdout.split() if not one.startswith("phonenumbers.data.region_")]
    assert new == ["new:"]
