"""What is compiled is loaded for the very sources that it was made of, and else not at all."""

import json
import sys
from types import ModuleType

import pytest

from infra.compiled import build, finder


@pytest.fixture
def found(tmp_path, monkeypatch):
    """A package of two modules, one of them compiled; and what finds it."""
    monkeypatch.delenv(finder.OFF, raising=False)
    package = tmp_path / "models"
    package.mkdir()
    (package / "hot.py").write_text("A = 1\n")
    (package / "cold.py").write_text("B = 2\n")
    module = ModuleType("models")
    module.__path__ = [str(package)]
    monkeypatch.setitem(sys.modules, "models", module)
    manifest = {
        "digest": finder.digest(str(package)),
        "libraries": {"models.hot": "1/models.hot.so"},
    }
    (tmp_path / finder.MANIFEST).write_text(json.dumps(manifest))
    return package, finder.Finder(str(tmp_path))


def test_a_compiled_module_is_found(found):
    package, finds = found
    assert finds.find_spec("models.hot").origin == str(package.parent / "1/models.hot.so")
    assert finds.find_spec("models.cold") is None
    assert finds.find_spec("json") is None


@pytest.mark.parametrize("name", ["hot.py", "cold.py", "new.py", "inner/new.py"])
def test_any_change_of_the_sources_turns_all_of_it_off(found, name):
    package, finds = found
    (package / name).parent.mkdir(exist_ok=True)
    (package / name).write_text("A = 2\n")
    assert finds.find_spec("models.hot") is None


def test_a_source_that_moved_is_a_change(found):
    package, finds = found
    (package / "cold.py").rename(package / "cool.py")
    assert finds.find_spec("models.hot") is None


def test_it_can_be_turned_off(found, monkeypatch):
    _, finds = found
    monkeypatch.setenv(finder.OFF, "1")
    assert finds.find_spec("models.hot") is None


def test_it_is_asked_once_however_often_the_environment_begins(monkeypatch, tmp_path):
    monkeypatch.setattr(sys, "meta_path", list(sys.meta_path))
    before = len(sys.meta_path)
    finder.install(str(tmp_path))
    finder.install(str(tmp_path))
    assert len(sys.meta_path) == before + 1


def test_without_a_compiler_it_says_what_to_install(monkeypatch):
    monkeypatch.setenv("CC", "no-such-compiler")
    with pytest.raises(build.UserError, match="apt-get install gcc"):
        build.build()


def test_what_is_to_be_compiled_is_there_and_defines_no_structs():
    for path in build.modules():
        source = (build.ROOT / path).read_text(encoding="utf-8")
        assert "(Struct" not in source, f"{path}: mypyc drops a Struct's class keywords"
