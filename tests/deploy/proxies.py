"""Debian's nginx and Caddy, running the files of deploy/ on loopback."""

from __future__ import annotations

import contextlib
import os
import re
import socket
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from dev import processes
from tests.support.need import need

DEPLOY = Path(__file__).resolve().parents[2] / "deploy"
SECONDS_TO_START = 60.0
# Only of the tests' own: it lets a test say whom nginx sees. The files of deploy/ know nothing of it.
TEST_CLIENT = "X-Test-Client"
OWN_PAGE = "<!doctype html><title>A page of the owner's own</title>"
NGINX = """
daemon off;
{user}
worker_processes 1;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{}}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    set_real_ip_from 127.0.0.0/8;
    real_ip_header {test_client};
    include {folder}/site.conf;
}}
"""


@dataclass(frozen=True)
class Setup:
    """One way to stand in front of Foyer: a file of deploy/, and what a test changes in it beside the ports."""

    file: str
    change: tuple[str, str] = ("", "")

    @property
    def program(self) -> str:
        """Which proxy it is for."""
        return "nginx" if self.file.startswith("nginx") else "caddy"

    @property
    def text(self) -> str:
        """What the file says, with the change; a change that changes nothing is a fault of the test."""
        text = (DEPLOY / self.file).read_text(encoding="utf-8")
        old, new = self.change
        assert old in text
        return text.replace(old, new) if old else text

    def keys(self, port: int) -> dict[str, Any]:
        """The keys of foyer.yaml that the file's own comment names, with the test's port in public_url."""
        lines = re.findall(r"^#   (\w+: .*)$", self.text, re.MULTILINE)
        keys: dict[str, Any] = yaml.safe_load("\n".join(lines)) or {}
        url = str(keys.get("public_url", "https://example.org")).replace("https://", "http://")
        host, slash, path = url.removeprefix("http://").partition("/")
        return {**keys, "public_url": f"http://{host}:{port}{slash}{path}"}


@contextlib.contextmanager
def running(setup: Setup, folder: Path, *, port: int, foyer_port: int) -> Iterator[None]:
    """Run the proxy of a setup on this port of loopback, in front of Foyer on that one."""
    folder.mkdir()
    (folder / "www").mkdir()
    (folder / "www" / "register.html").write_text(OWN_PAGE, encoding="utf-8")
    text = setup.text.replace("/var/www/html", str(folder / "www"))
    text = re.sub(r"(127\.0\.0\.1|localhost):5000", rf"\1:{foyer_port}", text)
    start = _nginx if setup.program == "nginx" else _caddy
    command = start(text, folder, port)
    environment = {**os.environ, "HOME": str(folder), "XDG_DATA_HOME": str(folder), "XDG_CONFIG_HOME": str(folder)}
    log = folder / f"{setup.program}.log"
    process = processes.spawn(command, log=log, env=environment)
    try:
        processes.wait_until(lambda: accepts(port), process, log=log, seconds=SECONDS_TO_START)
        yield
    finally:
        processes.stop(process)


def accepts(port: int) -> bool:
    """Say whether somebody listens on this port of loopback."""
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
        return True
    return False


Start = Callable[[str, Path, int], list[str | Path]]


def _nginx(text: str, folder: Path, port: int) -> list[str | Path]:
    text = text.replace("listen 80;", f"listen 127.0.0.1:{port};").replace("listen [::]:80;", "")
    (folder / "site.conf").write_text(text, encoding="utf-8")
    # As root nginx would go on as nobody, who may not enter the folders of tests.
    user = "user root;" if os.geteuid() == 0 else ""
    conf = NGINX.format(folder=folder, test_client=TEST_CLIENT, user=user)
    (folder / "nginx.conf").write_text(conf, encoding="utf-8")
    program = need("nginx")
    command: list[str | Path] = [program, "-e", folder / "error.log", "-p", folder, "-c", folder / "nginx.conf"]
    subprocess.run([*command, "-t"], check=True, capture_output=True)
    return command


def _caddy(text: str, folder: Path, port: int) -> list[str | Path]:
    text = re.sub(r"^((?:join\.)?example\.org) \{", rf"http://\1:{port} {{", text, flags=re.MULTILINE)
    options = "\tadmin off\n\tauto_https off\n\tdefault_bind 127.0.0.1\n"
    if re.search(r"^\{$", text, re.MULTILINE):
        text = re.sub(r"^\{\n", "{\n" + options, text, count=1, flags=re.MULTILINE)
    else:
        text = f"{{\n{options}}}\n{text}"
    (folder / "Caddyfile").write_text(text, encoding="utf-8")
    return [need("caddy"), "run", "--config", folder / "Caddyfile", "--adapter", "caddyfile"]
