"""The root command. A group is imported only when it is used, so that start-up pays for nothing else."""

from __future__ import annotations

import sys
from importlib import import_module
from typing import Annotated, Any, NamedTuple

import typer
from typer.core import TyperCommand, TyperGroup


class Entry(NamedTuple):
    """A top-level command: the module whose ``app`` is its Typer application, and its line in the help."""

    module: str
    help: str


COMMANDS = {
    "provider": Entry("jsmsso.cli.provider", "Add, list, show and remove OpenID Providers."),
    "test-connection": Entry("jsmsso.cli.test_connection", "Log in at a provider for real and show every step."),
    "token": Entry("jsmsso.cli.token", "Get tokens, look into them, refresh them, take them back."),
    "attributes": Entry("jsmsso.cli.attributes", "Map claims to the customer's fields."),
    "access": Entry("jsmsso.cli.access", "Say who may enter, and try it out."),
    "jsm": Entry("jsmsso.cli.jsm", "Connect the Jira Service Management site."),
    "portals": Entry("jsmsso.cli.portals", "Pull the service desks and print a portal link for each."),
    "customers": Entry("jsmsso.cli.customers", "Show, link, load, export and shut out customers."),
    "sessions": Entry("jsmsso.cli.sessions", "End sessions on every worker."),
    "secrets": Entry("jsmsso.cli.secrets", "Keep secrets out of the profile."),
    "store": Entry("jsmsso.cli.store", "Back up the store, and check it."),
    "profile": Entry("jsmsso.cli.profile", "Check the profile, print its schema or its path."),
    "audit": Entry("jsmsso.cli.audit", "Show who signed in, who was refused, and what was done for whom."),
    "serve": Entry("jsmsso.cli.serve", "Serve the portal links and the callback."),
    "demo": Entry("jsmsso.cli.demo", "Try all of it on this machine, with no account anywhere."),
}


class LazyGroup(TyperGroup):
    """Lists commands from :data:`COMMANDS` and imports only the one that runs."""

    def list_commands(self, ctx: Any) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        entry = COMMANDS.get(cmd_name)
        return entry and TyperCommand(name=cmd_name, help=entry.help)

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        self.commands = {name: self.get_command(ctx, name) for name in COMMANDS}  # for "did you mean"
        name, command, rest = super().resolve_command(ctx, args)
        if name in COMMANDS:
            command = typer.main.get_command(import_module(COMMANDS[name].module).app)
            command.name = name
        return name, command, rest


app = typer.Typer(cls=LazyGroup, no_args_is_help=True, add_completion=True, pretty_exceptions_enable=False)


def print_version(wanted: bool) -> None:
    if wanted:
        from jsmsso import __version__

        print(f"jsmsso {__version__}")
        raise typer.Exit


@app.callback()
def root(
    ctx: typer.Context,
    profile: Annotated[str, typer.Option(help="The profile to use instead of ./jsmsso.yaml.", metavar="PATH", show_default=False)] = "",
    version: Annotated[bool, typer.Option("--version", help="Print the version and stop.", callback=print_version, is_eager=True)] = False,
) -> None:
    """Put Jira Service Management customer portals behind your own login."""
    ctx.obj = {"profile": profile}


def main() -> None:
    """The console script ``jsmsso``. Whatever goes wrong ends as a sentence and an exit code, never as a traceback."""
    from jsmsso.cli.render import report_error, report_fault, report_usage

    as_json = "--json" in sys.argv
    try:
        code = typer.main.get_command(app).main(prog_name="jsmsso", standalone_mode=False)
    except typer.Abort:
        code = 130
    except Exception as error:  # the edge: nothing above this line may show a traceback
        from jsmsso.errors import JsmssoError

        if isinstance(error, JsmssoError):
            code = report_error(error, as_json=as_json)
        elif hasattr(error, "format_message"):  # Typer's usage errors; their class is private there
            code = report_usage(error, as_json=as_json)
        elif isinstance(error, BrokenPipeError):
            sys.stderr.close()
            code = 1
        else:
            code = report_fault(error, as_json=as_json)
    sys.exit(code if isinstance(code, int) else 0)
