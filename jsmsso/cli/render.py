"""The one place where results and errors become text for a person or JSON for a program."""

from __future__ import annotations

import functools
import inspect
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from rich.console import Console

    from jsmsso.errors import JsmssoError

JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON document, for programs.")]
ProfileOption = Annotated[
    str, typer.Option("--profile", help="The profile to use instead of ./jsmsso.yaml.", metavar="PATH", show_default=False)
]

# Half characters, which no terminal or file takes, and what json leaves of the characters that steer a terminal or turn its text around.
_UNPRINTABLE = "[\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]"


@dataclass(frozen=True, slots=True)
class Result:
    """What a command found or did. Rendered once, here, so that text and JSON never differ.

    ``data`` is what ``--json`` prints; ``text`` what a person reads (a text, or a function that draws on
    a rich console); ``warnings`` go to standard error either way; ``exit_code`` is 0 or 1.
    """

    data: Any = None
    text: str | Callable[[Console], None] = ""
    warnings: tuple[str, ...] = ()
    exit_code: int = 0


def reports(function: Callable[..., Result]) -> Callable[..., None]:
    """Make a command of a function that returns a :class:`Result`: adds ``--json`` and ``--profile``, and renders.

    A parameter ``profile: str`` of the function gets the option's text (also the one before the command's
    name), ``as_json: bool`` tells it that standard output belongs to the document alone. Both are optional.
    """
    signature = inspect.signature(function, eval_str=True)
    wanted = set(signature.parameters)

    @functools.wraps(function)
    def command(**options: Any) -> None:
        context = typer.main.get_current_context()
        as_json = options.pop("as_json")
        profile = options.pop("profile") or (context.find_root().obj or {}).get("profile", "")
        given = {"as_json": as_json, "profile": profile}
        options |= {name: value for name, value in given.items() if name in wanted}
        show(function(**options), as_json=as_json)

    added = {"profile": ProfileOption, "as_json": JsonOption}
    own = [p.replace(kind=p.KEYWORD_ONLY) for p in signature.parameters.values() if p.name not in added]
    extra = [
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default="" if name == "profile" else False, annotation=annotation)
        for name, annotation in added.items()
    ]
    parameters = [*own, *extra]
    del command.__dict__["__wrapped__"]  # or Typer would read the function's own signature
    command.__signature__ = signature.replace(parameters=parameters, return_annotation=None)  # type: ignore[attr-defined]
    command.__annotations__ = {p.name: p.annotation for p in parameters}
    return command


def show(result: Result, *, as_json: bool) -> None:
    """Print a result and leave with its exit code."""
    for warning in result.warnings:
        warn(warning)
    if as_json:
        print_json(result.data)
    elif isinstance(result.text, str):
        if result.text:
            print(result.text)
    else:
        result.text(console())
    if result.exit_code:
        raise typer.Exit(result.exit_code)


def print_json(data: Any) -> None:
    """One document on standard output, UTF-8, indented for the eyes that look at it anyway."""
    import json
    import re

    def escaped(found: re.Match[str]) -> str:
        return f"\\u{ord(found[0]):04x}"

    print(re.sub(_UNPRINTABLE, escaped, json.dumps(data, indent=2, ensure_ascii=False, default=str)))


def console(*, stderr: bool = False) -> Console:
    """A rich console; no wrapping at 80 columns when piped, so that scripts can read lines."""
    from rich.console import Console

    stream = sys.stderr if stderr else sys.stdout
    width = None if stream.isatty() or "COLUMNS" in os.environ else 200
    return Console(stderr=stderr, highlight=False, width=width, soft_wrap=False)


def warn(message: str) -> None:
    """A warning on standard error."""
    _say("warning", "yellow", message)


def progress_line(message: str) -> None:
    """What goes on, on standard error, so that standard output stays the result's."""
    print(message, file=sys.stderr, flush=True)


def report_error(error: JsmssoError, *, as_json: bool) -> int:
    """Show an error of ours; returns its exit code."""
    if as_json:
        document: dict[str, Any] = {"code": error.code, "message": error.message, "hint": error.hint}
        complaints = getattr(error, "complaints", None)
        if complaints is not None:
            document["complaints"] = [{"line": c.line, "key": c.key, "message": c.message, "hint": c.hint} for c in complaints]
        print_json({"error": document})
    else:
        _say("error", "red", error.message)
        if error.hint:
            for line in error.hint.splitlines():
                print(f"  {line}", file=sys.stderr)
    return error.exit_code


def report_usage(error: Any, *, as_json: bool) -> int:
    """Show a wrong use of the command line; returns 2."""
    if as_json:
        print_json({"error": {"code": "usage", "message": error.format_message(), "hint": ""}})
    elif type(error).__name__ == "NoArgsIsHelpError":
        error.show()
    else:
        _say("error", "red", error.format_message())
        if error.ctx is not None:
            print(f"  See: {error.ctx.command_path} --help", file=sys.stderr)
    return 2


def report_fault(error: BaseException, *, as_json: bool) -> int:
    """A fault of ours: a sentence, and the traceback only for those who ask for it by ``JSMSSO_TRACEBACK=1``."""
    from jsmsso.errors import JsmssoError

    if os.environ.get("JSMSSO_TRACEBACK") == "1":
        raise error
    fault = JsmssoError(
        f"this is a fault in jsmsso: {type(error).__name__}",
        "Run it again with JSMSSO_TRACEBACK=1 and report what it prints (look for secrets in it first).",
    )
    return report_error(fault, as_json=as_json)


def _say(word: str, colour: str, message: str) -> None:
    stream = sys.stderr
    if stream.isatty() and "NO_COLOR" not in os.environ:
        codes = {"red": "31", "yellow": "33"}
        word = f"\033[{codes[colour]};1m{word}\033[0m"
    print(f"{word}: {message}", file=stream)
