"""Finds the compiled modules for whichever sources they were compiled from.

`build` copies this file into the environment, where it runs at each start of Python: so it
imports nothing until one of their packages is. A source that changed since turns all of them
off, for they call each other directly; what runs then is the sources, as if nothing were compiled.
"""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from importlib.machinery import ModuleSpec
    from types import ModuleType

OFF = "CUSTOMER360_INTERPRETED"  # set to anything: nothing compiled is loaded
# Where compiled modules are, and what they import that is ours.
FOLDERS = ("models", "projections/rows")
MANIFEST = "manifest.json"  # beside the copy: digest of the sources, library by module

_PACKAGES = tuple(folder.replace("/", ".") + "." for folder in FOLDERS)


def digest(repository: str) -> str:
    """Return what tells the sources in the folders apart (hex)."""
    from hashlib import sha256
    from pathlib import Path

    root, hashed = Path(repository), sha256()
    for path in sorted(path for folder in FOLDERS for path in (root / folder).rglob("*.py")):
        source = path.read_bytes()
        hashed.update(f"{path.relative_to(root).as_posix()}\0{len(source)}\0".encode())
        hashed.update(source)
    return hashed.hexdigest()


class Finder:
    """A meta path finder for the modules that the manifest in `folder` names."""

    def __init__(self, folder: str) -> None:
        self.folder = folder
        self.libraries: dict[str, str] | None = None  # None: not read yet; empty: interpreted

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Return a compiled module's spec; None where the sources are to be run."""
        if self.libraries is None and name.startswith(_PACKAGES):
            self.libraries = self._fitting(name.partition(".")[0])
        file = (self.libraries or {}).get(name)
        if file is None:
            return None
        from importlib.machinery import ExtensionFileLoader
        from importlib.util import spec_from_file_location
        from pathlib import Path

        where = str(Path(self.folder, file))
        return spec_from_file_location(name, where, loader=ExtensionFileLoader(name, where))

    def _fitting(self, package: str) -> dict[str, str]:
        import json
        from pathlib import Path

        kept = Path(self.folder, MANIFEST)
        if os.environ.get(OFF) or not kept.exists():
            return {}
        manifest = json.loads(kept.read_text(encoding="utf-8"))
        [folder] = sys.modules[package].__path__
        libraries: dict[str, str] = manifest["libraries"]
        return libraries if digest(str(Path(folder).parent)) == manifest["digest"] else {}


def install(folder: str) -> None:
    """Ask for compiled modules first, from now on."""
    if not any(getattr(one, "folder", None) == folder for one in sys.meta_path):
        sys.meta_path.insert(0, Finder(folder))
