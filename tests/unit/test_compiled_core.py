"""What is compiled is loaded for the very sources that it was made of, and else not at all."""

import ast
import json
import sys
from types import ModuleType

import pytest

from infra.compiled import build, finder


@pytest.fixture
def found(tmp_path, monkeypatch):
    """Two packages of two modules, one of each compiled; and what finds them."""
    monkeypatch.delenv(finder.OFF, raising=False)
    for folder in finder.FOLDERS:
        package = tmp_path / folder
        package.mkdir(parents=True)
        (package / "hot.py").write_text("A = 1\n")
        (package / "cold.py").write_text("B = 2\n")
        top = folder.partition("/")[0]
        module = ModuleType(top)
        module.__path__ = [str(tmp_path / top)]
        monkeypatch.setitem(sys.modules, top, module)
    hot = ("models.hot", "projections.rows.hot")
    manifest = {
        "digest": finder.digest(str(tmp_path)),
        "libraries": {name: f"1/{name}.so" for name in hot},
    }
    (tmp_path / finder.MANIFEST).write_text(json.dumps(manifest))
    return tmp_path, finder.Finder(str(tmp_path))


@pytest.mark.parametrize("package", ["models", "projections.rows"])
def test_a_compiled_module_is_found(found, package):
    root, finds = found
    assert finds.find_spec(f"{package}.hot").origin == str(root / f"1/{package}.hot.so")
    assert finds.find_spec(f"{package}.cold") is None
    assert finds.find_spec("json") is None


@pytest.mark.parametrize("folder", finder.FOLDERS)
@pytest.mark.parametrize("name", ["hot.py", "cold.py", "new.py", "inner/new.py"])
def test_any_change_of_the_sources_turns_all_of_it_off(found, folder, name):
    root, finds = found
    (root / folder / name).parent.mkdir(exist_ok=True)
    (root / folder / name).write_text("A = 2\n")
    assert finds.find_spec("models.hot") is None
    assert finds.find_spec("projections.rows.hot") is None


def test_what_lies_beside_the_sources_is_no_change(found):
    root, finds = found
    (root / "projections" / "new.py").write_text("A = 2\n")
    assert finds.find_spec("projections.rows.hot") is not None


@pytest.mark.parametrize("folder", finder.FOLDERS)
def test_a_source_that_moved_is_a_change(found, folder):
    root, finds = found
    (root / folder / "cold.py").rename(root / folder / "cool.py")
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


def test_what_is_compiled_imports_nothing_of_ours_whose_change_would_not_be_seen():
    ours = ("models", "projections", "streams", "infra")
    seen = tuple(folder.replace("/", ".") for folder in finder.FOLDERS)
    for folder in finder.FOLDERS:
        for path in (build.ROOT / folder).rglob("*.py"):
            for name in imports(path):
                assert not name.startswith(ours) or name.startswith(seen), f"{path}: {name}"


def imports(path):
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
        elif isinstance(node, ast.Import):
            yield from (one.name for one in node.names)
