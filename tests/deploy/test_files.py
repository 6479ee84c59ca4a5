"""What can be said of the files of deploy/ without the programs that they are for, and with those that are here."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from foyer.config.environment import is_key, read_environment
from foyer.config.load import check
from tests.deploy.proxies import DEPLOY, Setup

ROOT = DEPLOY.parent
DOCKERFILE = (DEPLOY / "Dockerfile").read_text(encoding="utf-8")
INSTRUCTIONS = {
    "ARG", "CMD", "COPY", "ENTRYPOINT", "ENV", "EXPOSE", "FROM", "HEALTHCHECK", "LABEL", "RUN", "STOPSIGNAL", "USER",
    "VOLUME", "WORKDIR",
}  # fmt: skip


def instructions() -> list[tuple[str, str]]:
    """Return the Dockerfile's instructions, long lines joined, comments gone."""
    text = re.sub(r"^\s*#.*\n", "", DOCKERFILE, flags=re.MULTILINE).replace("\\\n", " ")
    return [(line.split(maxsplit=1)[0], line.split(maxsplit=1)[1]) for line in text.splitlines() if line.strip()]


def compose() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text(encoding="utf-8"))
    return loaded


def test_dockerfile_has_only_instructions_that_there_are() -> None:
    assert {name for name, _ in instructions()} <= INSTRUCTIONS


def test_dockerfile_copies_only_what_is_there_and_is_not_ignored() -> None:
    allowed = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    copied = [text.split()[:-1] for name, text in instructions() if name == "COPY" and not text.startswith("--from")]

    for name in {name for names in copied for name in names}:
        assert (ROOT / name).exists(), name
        assert name in allowed, name


def test_dockerfile_copies_all_that_the_package_is_built_of() -> None:
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    include = re.search(r"^\[tool\.hatch\.build\.targets\.sdist\]\ninclude = \[(.*)\]$", text, re.MULTILINE)
    assert include is not None

    wanted = set(re.findall(r'"([^"]+)"', include[1]))

    copied = {word for name, words in instructions() if name == "COPY" for word in words.split()}
    assert wanted <= copied


def test_dockerfile_ends_as_a_user_without_rights_who_is_looked_after() -> None:
    last = [name for name, _ in instructions()]
    final = instructions()[len(last) - last[::-1].index("FROM") - 1 :]

    assert [text for name, text in final if name == "USER"] == ["foyer"]
    assert [text for name, text in final if name == "HEALTHCHECK"]
    assert [text for name, text in final if name == "VOLUME"] == ["/data"]


def test_dockerfile_sets_only_keys_that_foyer_has() -> None:
    given = dict(
        pair.split("=", 1) for name, text in instructions() if name == "ENV" for pair in text.split() if "=" in pair
    )

    assert read_environment({name: value for name, value in given.items() if is_key(name)}).problems == []


def test_compose_sets_only_keys_that_foyer_has() -> None:
    environment = {name: str(value) for name, value in compose()["services"]["foyer"]["environment"].items()}

    assert all(is_key(name) for name in environment)
    assert read_environment(environment).problems == []


def test_compose_names_only_what_it_has() -> None:
    whole = compose()

    for service in whole["services"].values():
        assert set(service.get("secrets", [])) <= whole["secrets"].keys()
        named = {volume.partition(":")[0] for volume in service.get("volumes", [])}
        assert named <= whole["volumes"].keys()
        assert set(service.get("depends_on", {})) <= whole["services"].keys()


def test_compose_publishes_ports_to_this_machine_alone() -> None:
    ports = [port for service in compose()["services"].values() for port in service.get("ports", [])]

    assert ports
    assert all(port.startswith("127.0.0.1:") for port in ports)


def test_compose_reads_secrets_where_it_mounts_them() -> None:
    foyer = compose()["services"]["foyer"]
    read = {value for name, value in foyer["environment"].items() if name.endswith("_FILE")}

    assert read == {f"/run/secrets/{name}" for name in foyer["secrets"]}


@pytest.mark.parametrize("file", sorted(path.name for path in DEPLOY.glob("*") if re.match("nginx|Caddy", path.name)))
def test_keys_that_a_proxys_file_names_are_good_for_foyer_yaml(file: str) -> None:
    keys = Setup(file).keys(80)

    config = check({"server_name": "example.org", "homeserver": {"registration_shared_secret": "x"}, **keys})

    assert config.public_host in Setup(file).text


def test_unit_is_understood_by_systemd(tmp_path: Path) -> None:
    analyze = shutil.which("systemd-analyze")
    if analyze is None:
        pytest.skip("systemd-analyze is not installed.")
    unit = tmp_path / "foyer.service"
    text = (DEPLOY / "foyer.service").read_text(encoding="utf-8")
    unit.write_text(text.replace("/opt/foyer/bin/foyer", "/bin/true"), encoding="utf-8")

    done = subprocess.run([analyze, "verify", unit], capture_output=True, text=True, check=False)

    assert (done.returncode, "foyer.service" in done.stderr) == (0, False), done.stderr


def test_unit_names_only_commands_and_places_that_the_tutorial_names() -> None:
    unit = (DEPLOY / "foyer.service").read_text(encoding="utf-8")
    tutorial = (ROOT / "docs" / "tutorial.md").read_text(encoding="utf-8")

    for place in ("/opt/foyer", "/etc/foyer/foyer.yaml", "foyer serve"):
        assert place in unit
        assert place in tutorial or place == "foyer serve"
