"""What every command has in common."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from foyer import __version__
from foyer.cli.catalogue import GROUPS, commands
from foyer.cli.dispatch import help_text, take_apart
from foyer.cli.errors import CommandFailed
from tests.cli.conftest import Foyer
from tests.support.server import command, environment

SUBCOMMANDS = {
    "invite": ("create", "list", "show", "edit", "revoke", "restore", "delete", "link", "qr"),
    "application": ("list", "show", "approve", "deny", "ask", "reopen", "note"),
    "staff": ("create", "list", "disable", "enable", "reset-password", "reset-second-factor"),
    "config": ("show", "check", "dist"),
}
HEAVY = ("typer", "rich", "pydantic", "yaml", "django", "structlog", "granian", "urllib3")


def outside(folder: Path, *args: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
    """Run `foyer` as somebody would in an empty folder, with nothing configured."""
    home = {**environment(), "HOME": str(folder)}
    return subprocess.run(
        command(*args), cwd=folder, env=home, input=stdin, capture_output=True, text=True, timeout=60, check=False
    )


@pytest.mark.parametrize("word", ["--help", "-h"])
def test_help_lists_every_command(foyer: Foyer, word: str) -> None:
    said = foyer(word)
    assert said.status == 0
    assert said.out == help_text() + "\n"
    for _, group in GROUPS:
        for one in group:
            assert f"  {one.name}" in said.out
            assert one.summary in said.out


def test_help_fits_a_terminal_of_100_columns() -> None:
    assert max(map(len, help_text().splitlines())) <= 100


def test_version_says_the_version(foyer: Foyer) -> None:
    assert foyer("--version").out == f"foyer {__version__}\n"


@pytest.mark.parametrize("word", ["--help", "--version"])
def test_help_and_version_import_nothing_heavy(word: str) -> None:
    program = (
        f"import sys; from foyer.cli.dispatch import run; run([{word!r}]); "
        f"print([name for name in {HEAVY!r} if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], env=environment(), capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines()[-1] == "[]"


@pytest.mark.parametrize("option", ["-h", "--help"])
@pytest.mark.parametrize("name", sorted(commands()))
def test_every_command_has_help(foyer: Foyer, name: str, option: str) -> None:
    said = foyer(name, option)
    assert said.status == 0
    assert said.out.startswith(f"Usage: foyer {name}")


@pytest.mark.parametrize(("group", "name"), [(group, name) for group, names in SUBCOMMANDS.items() for name in names])
def test_every_subcommand_has_help(foyer: Foyer, group: str, name: str) -> None:
    said = foyer(group, name, "-h")
    assert said.status == 0
    assert said.out.startswith(f"Usage: foyer {group} {name}")
    assert "…" not in foyer(group, "-h").out.partition("Commands:")[2]  # no summary is cut


def test_help_of_a_command_needs_no_configuration(tmp_path: Path) -> None:
    for words in (["serve", "-h"], ["invite", "create", "-h"], ["doctor", "-h"], ["restore", "-h"]):
        assert outside(tmp_path, *words).returncode == 0


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["inv"], "There is no command inv. Did you mean `foyer invite`? `foyer --help` lists them all."),
        (["xyzzy"], "There is no command xyzzy. `foyer --help` lists them all."),
        (["--nonsense"], "There is no option --nonsense. `foyer --help` shows what there is."),
        (["--config"], "--config needs the path of a configuration file, such as foyer.yaml."),
        (["--config-path="], "--config needs the path of a configuration file, such as foyer.yaml."),
    ],
)
def test_words_that_make_no_sense_are_told_apart(foyer: Foyer, words: list[str], said: str) -> None:
    found = foyer(*words)
    assert (found.status, found.err) == (2, said)


def test_an_option_that_a_command_does_not_have_is_named(foyer: Foyer) -> None:
    said = foyer("migrate", "--nonsense")
    assert said.status == 2
    assert "--nonsense" in said.err


@pytest.mark.parametrize(
    "words",
    [
        ["--config", "x.yaml", "invite", "list"],
        ["--config=x.yaml", "invite", "list"],
        ["--config-path", "x.yaml", "invite", "list"],
        ["--config-path=x.yaml", "invite", "list"],
        ["invite", "--config", "x.yaml", "list"],
        ["invite", "list", "--config-path", "x.yaml"],
        ["invite", "list", "--config=x.yaml"],
    ],
)
def test_config_may_stand_anywhere(words: list[str]) -> None:
    line = take_apart(words)
    assert (line.config, line.word, line.rest) == ("x.yaml", "invite", ["list"])


def test_config_behind_two_dashes_or_a_django_command_is_left_alone() -> None:
    assert take_apart(["invite", "show", "--", "--config"]).rest == ["show", "--", "--config"]
    assert take_apart(["--config", "x", "django", "shell", "--config", "y"]).rest == ["shell", "--config", "y"]


def test_config_without_its_value_is_refused() -> None:
    with pytest.raises(CommandFailed):
        take_apart(["serve", "--config"])


def test_foyer_alone_without_a_configuration_says_what_to_do(tmp_path: Path) -> None:
    done = outside(tmp_path)
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr == (
        "There is no configuration yet. Run `foyer setup` to make one, or name one with `foyer --config PATH`.\n"
    )


def test_foyer_alone_with_a_configuration_shows_help(tmp_path: Path) -> None:
    (tmp_path / "foyer.yaml").write_text("server_name: example.org\n")
    assert outside(tmp_path).stdout == help_text() + "\n"


def test_a_command_without_a_configuration_says_what_to_do(tmp_path: Path) -> None:
    done = outside(tmp_path, "invite", "list")
    assert done.returncode == 1
    assert done.stderr == (
        "There is no configuration yet. `foyer setup` makes one; `foyer --config PATH` names one elsewhere.\n"
    )


def test_a_configuration_that_is_not_there_is_named(tmp_path: Path) -> None:
    done = outside(tmp_path, "--config", "nowhere.yaml", "invite", "list")
    assert done.returncode == 1
    assert done.stderr == "nowhere.yaml: There is no such file. `foyer setup` makes one.\n"


def test_a_fault_of_our_own_is_one_sentence(tmp_path: Path) -> None:
    program = "from foyer.cli.dispatch import guarded; raise SystemExit(guarded(lambda: {}['x']))"
    done = subprocess.run(
        [sys.executable, "-c", program], env=environment(), capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1
    assert "KeyError" in done.stderr


def test_a_reader_that_goes_away_is_no_error(tmp_path: Path) -> None:
    done = subprocess.run(
        ["bash", "-c", f"set -o pipefail; {' '.join(command('config', 'dist'))} | head -1"],
        cwd=tmp_path,
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stderr == ""
    assert len(done.stdout.splitlines()) == 1
