"""From the words behind `foyer` to a command, and from whatever it raises to one sentence and an exit status.

Status 0: done. 1: not done, and a sentence says why. 2: not understood. 130: interrupted.
"""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass, field

import foyer.cli.local_time  # noqa: F401 - keeps the time zone before Django changes it
from foyer import __version__
from foyer.cli.catalogue import GROUPS, Command, commands
from foyer.cli.errors import CommandFailed, explain

NOT_UNDERSTOOD = 2
INTERRUPTED = 130
READER_WENT = 141
CONFIG_OPTIONS = ("--config", "--config-path")
HELP_OPTIONS = ("-h", "--help")


@dataclass
class Line:
    """A command line, taken apart as far as every command has it in common."""

    config: str | None = None
    command: Command | None = None
    word: str = ""
    rest: list[str] = field(default_factory=list)
    asks: str = ""  # "help" or "version"
    traceback: bool = False


def run(args: list[str]) -> int:
    """Run one command line and return the exit status. Nothing but the status ever comes out of it."""
    return guarded(lambda: _run(args), show_traceback="--traceback" in args)


def guarded(deed: Callable[[], None], *, show_traceback: bool = False) -> int:
    """Do a deed and return the exit status; what it raises becomes one sentence on standard error."""
    try:
        deed()
        sys.stdout.flush()
    except SystemExit as ending:
        return _status(ending)
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        # Whoever read our output is gone. What is still buffered must not raise again at the very end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return READER_WENT
    except Exception as error:  # noqa: BLE001 - the outermost frame: a person gets a sentence, never a traceback
        return _fail(error, show_traceback=show_traceback)
    return 0


def _run(args: list[str]) -> None:
    line = take_apart(args)
    if line.config is not None:
        os.environ["FOYER_CONFIG"] = line.config
    if line.asks == "version":
        print(f"foyer {__version__}")
    elif line.asks == "help":
        print(help_text())
    elif line.command is None:
        _without_command()
    elif line.command.takes_all:
        importlib.import_module(line.command.module).run(line.rest)
    else:
        importlib.import_module(line.command.module).app(args=line.rest, prog_name=f"foyer {line.word}")


def take_apart(args: list[str]) -> Line:
    """Find the command and what stands before it; `--config` may stand behind it as well.

    Raises:
        CommandFailed: the words make no sense; exit status 2.
    """
    line, known = Line(), commands()
    left = list(args)
    while left and not (line.command and line.command.takes_all):
        word = left.pop(0)
        name, equals, value = word.partition("=")
        if name in CONFIG_OPTIONS:
            if not equals and not left:
                raise _not_understood(f"{name} needs the path of a configuration file, such as foyer.yaml.")
            line.config = value if equals else left.pop(0)
        elif word == "--traceback":
            line.traceback = True
        elif line.command is not None:
            line.rest.append(word)
            if word == "--":
                break
        elif word in known:
            line.command, line.word = known[word], word
        elif word in HELP_OPTIONS or word == "--version":
            line.asks = line.asks or ("version" if word == "--version" else "help")
        else:
            raise _not_understood(_unknown(word, list(known)))
    line.rest += left
    if line.config == "":
        raise _not_understood("--config needs the path of a configuration file, such as foyer.yaml.")
    return line


def _unknown(word: str, known: list[str]) -> str:
    import difflib  # only here, so that help stays quick

    if word.startswith("-"):
        return f"There is no option {word}. `foyer --help` shows what there is."
    close = difflib.get_close_matches(word, known, n=1)
    guess = f"Did you mean `foyer {close[0]}`? " if close else ""
    return f"There is no command {word}. {guess}`foyer --help` lists them all."


def _not_understood(sentence: str) -> CommandFailed:
    return CommandFailed(sentence, exit_code=NOT_UNDERSTOOD)


def _without_command() -> None:
    """`foyer` alone: help where there is a configuration; else the way to one."""
    from foyer.config.load import find  # the schema is heavy; `foyer --help` does without it

    if find() is not None or "FOYER_SERVER_NAME" in os.environ:
        print(help_text())
        return
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise CommandFailed(
            "There is no configuration yet. Run `foyer setup` to make one, or name one with `foyer --config PATH`."
        )
    from foyer.cli.setup import offer

    offer()


def help_text() -> str:
    """Return what `foyer --help` prints."""
    width = max(len(_words(command)) for _, group in GROUPS for command in group)
    lines = [
        f"Foyer {__version__}, the front door of a Matrix homeserver.",
        "",
        "Usage: foyer [--config PATH] COMMAND [OPTIONS]",
    ]
    for title, group in GROUPS:
        lines += ["", f"{title}:"]
        lines += [f"  {_words(command):<{width}}  {command.summary}" for command in group]
    lines += [
        "",
        "Options:",
        f"  {'--config PATH':<{width}}  The configuration (--config-path is the same). Else $FOYER_CONFIG,",
        f"  {'':<{width}}  ./foyer.yaml, ~/.config/foyer/foyer.yaml, /etc/foyer/foyer.yaml.",
        f"  {'--traceback':<{width}}  Show where a fault of Foyer's own happened.",
        f"  {'--version':<{width}}  Show the version.",
        f"  {'-h, --help':<{width}}  Show this; after a command, show that command's own help.",
    ]
    return "\n".join(lines)


def _words(command: Command) -> str:
    return f"{command.name}, {command.alias}" if command.alias else command.name


def _status(ending: SystemExit) -> int:
    if ending.code is None or isinstance(ending.code, int):
        return ending.code or 0
    print(ending.code, file=sys.stderr)
    return 1


def _fail(error: Exception, *, show_traceback: bool) -> int:
    sentence = explain(error)
    if sentence is None:
        sentence = (
            f"Foyer broke here ({type(error).__name__}), and that is its own fault, not yours. Run the same with "
            "--traceback and report what it prints."
        )
    if show_traceback:
        import traceback

        traceback.print_exception(error)
    sys.stdout.flush()
    print(_red(sentence) if _is_coloured() else sentence, file=sys.stderr)
    return getattr(error, "exit_code", 1)


def _is_coloured() -> bool:
    return sys.stderr.isatty() and "NO_COLOR" not in os.environ and os.environ.get("TERM") != "dumb"


def _red(text: str) -> str:
    return f"\033[31m{text}\033[0m"
