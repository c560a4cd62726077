"""What a soak keeps of itself."""

import json

from tests.chaos.soak.result import Result


def test_each_seed_is_on_file_as_soon_as_it_has_ended(tmp_path):
    file = tmp_path / "results" / "soak.json"
    result = Result({"commit": "abc"}, file)
    result.add(7, passed=True, seconds=20.04)
    assert json.loads(file.read_text()) == {
        "about": {"commit": "abc"},
        "seeds": 1,
        "passed": [7],
        "failed": [],
        "seconds": 20.0,
        "seconds_longest_seed": 20.0,
    }
    result.add(8, passed=False, seconds=30.5)
    told = json.loads(file.read_text())
    assert (told["seeds"], told["passed"], told["failed"]) == (2, [7], [8])
    assert (told["seconds"], told["seconds_longest_seed"]) == (50.5, 30.5)


def test_nothing_is_kept_of_a_soak_that_was_given_no_file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    result = Result({})
    result.add(7, passed=False, seconds=20.0)
    assert result.failed == [7]
    assert list(tmp_path.iterdir()) == []
