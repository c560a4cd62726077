"""Finds the compiled modules of `models` for whichever sources they were compiled from.

`build` copies this file into the environment, where it runs at each start of Python: so it
imports nothing until `models` is. A source that changed since turns all of them off, for
they call each other directly; what runs is then the sources, as if nothing were compiled.
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
MANIFEST = "manifest.json"  # beside the copy: digest of the sources, library by module


def digest(package: str) -> str:
    """Return what tells the sources below a package's folder apart (hex)."""
    from hashlib import sha256
    from pathlib import Path

    root, hashed = Path(package), sha256()
    for path in sorted(root.rglob("*.py")):
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
        if name.startswith("models.") and self.libraries is None:
            self.libraries = self._fitting()
        file = (self.libraries or {}).get(name)
        if file is None:
            return None
        from importlib.machinery import ExtensionFileLoader
        from importlib.util import spec_from_file_location
        from pathlib import Path

        where = str(Path(self.folder, file))
        return spec_from_file_location(name, where, loader=ExtensionFileLoader(name, where))

    def _fitting(self) -> dict[str, str]:
        import json
        from pathlib import Path

        kept = Path(self.folder, MANIFEST)
        if os.environ.get(OFF) or not kept.exists():
            return {}
        manifest = json.loads(kept.read_text(encoding="utf-8"))
        [package] = sys.modules["models"].__path__
        libraries: dict[str, str] = manifest["libraries"]
        return libraries if digest(package) == manifest["digest"] else {}


def install(folder: str) -> None:
    """Ask for compiled modules first, from now on."""
    if not any(getattr(one, "folder", None) == folder for one in sys.meta_path):
        sys.meta_path.insert(0, Finder(folder))
