"""What the documents lead to is there: files, headings, commands and their options."""

import re
import shlex
from functools import cache
from pathlib import Path

import pytest
import typer

from infra.cli import app

ROOT = Path(__file__).parents[2]
DOCUMENTS = sorted(
    [*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob("tests/*/README.md")], key=str
)
LINK = re.compile(r"\[[^\]]*\]\((?!https?:)([^)\s]+)\)")
HEADING = re.compile(r"^#+ (.*)$", re.MULTILINE)
FENCE = re.compile(r"^ *```.*?^ *```", re.MULTILINE | re.DOTALL)
# A command in a line of its own, or in a sentence.
WRITTEN = re.compile(r"^(?:\.venv/bin/)?c360 ([^#\n]+)|`c360 ([^`]+)`", re.MULTILINE)
OPTION = re.compile(r"--[a-z][a-z-]*")

names = pytest.mark.parametrize(
    "document", DOCUMENTS, ids=[str(one.relative_to(ROOT)) for one in DOCUMENTS]
)


@cache
def anchors(document: Path) -> set[str]:
    """Return the names that a document's headings have, as GitHub makes them."""
    headings = HEADING.findall(FENCE.sub("", document.read_text()))
    plain = (re.sub(r"[^\w\- ]", "", heading.lower()) for heading in headings)
    return {one.strip().replace(" ", "-") for one in plain}


@names
def test_every_link_leads_somewhere(document):
    for link in LINK.findall(FENCE.sub("", document.read_text())):
        path, _, anchor = link.partition("#")
        target = (document.parent / path).resolve() if path else document
        assert target.exists(), link
        assert not anchor or anchor in anchors(target), link


@names
def test_every_command_is_there_with_its_options(document):
    if document.name == "CHANGELOG.md":  # tells of what is gone, too
        return
    for alone, within in WRITTEN.findall(document.read_text()):
        written = alone or within
        command, said = typer.main.get_command(app), _words(written)
        while said and hasattr(command, "get_command") and re.fullmatch(r"[a-z][a-z-]*", said[0]):
            at = said.pop(0)
            command = command.get_command(None, at)
            assert command is not None, f"c360 {written}: no {at}"
        known = {option for one in command.params for option in one.opts}
        assert set(OPTION.findall(" ".join(said))) <= known | {"--help"}, f"c360 {written}"


def _words(written: str) -> list[str]:
    try:
        return shlex.split(written)
    except ValueError:  # a part of a sentence
        return written.split()
