"""Groups of commands whose modules are imported when they are used: help needs none of them."""

from __future__ import annotations

from importlib import import_module
from typing import Any, ClassVar, NamedTuple

import typer
from typer.core import TyperCommand, TyperGroup


class Later(NamedTuple):
    """A command to come: its module of `infra.cli`, and what its help says first."""

    module: str
    says: str


class LazyGroup(TyperGroup):
    """Its own commands, and after them `later`: an `app` in their modules, or a `command`."""

    later: ClassVar[dict[str, Later]] = {}
    _helping = False

    def list_commands(self, ctx: Any) -> list[str]:
        """Name every command."""
        return [*super().list_commands(ctx), *self.later]

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Write the group's help, with no command imported."""
        self._helping = True
        try:
            super().format_help(ctx, formatter)
        finally:
            self._helping = False

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """Import the module of a command and return what typer makes of it."""
        if cmd_name not in self.later:
            return super().get_command(ctx, cmd_name)
        module, says = self.later[cmd_name]
        return TyperCommand(cmd_name, help=says) if self._helping else imported(cmd_name, module)


def imported(name: str, module_name: str) -> Any:
    """Return the command that a module of `infra.cli` holds."""
    module = import_module(f"infra.cli.{module_name}")
    part = getattr(module, "app", None)
    if part is None:
        part = typer.Typer(add_completion=False)
        part.command(name)(module.command)
    command = typer.main.get_command(part)
    command.name = name
    return command
