"""The way from the public URL to Foyer: is it there, which paths arrive, and does Foyer learn who comes?"""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from foyer.cli.doctor import web
from foyer.cli.doctor.findings import Finding, fault, ok, warning
from foyer.config.schema import Config
from foyer.web.assets import asset
from foyer.web.headers import CONTENT_SECURITY_POLICY
from foyer.web.seen import new_key

NGINX_LINE = "proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;"


@dataclass(frozen=True, slots=True)
class Path:
    """A path that a proxy may pass on or not. `matters`: how much, if it does not."""

    path: str
    matters: str
    without: str
    remedy: str


def look(config: Config) -> Iterator[Finding]:
    """Yield what is found."""
    url = config.public_url
    try:
        answer = web.get(f"{url}/register/seen/{new_key()}", {"Accept": "application/json"})
    except web.NoAnswer as error:
        yield _unreachable(config, error)
        return
    told = _told(answer)
    if told is None:
        yield _not_foyer(config, answer)
        return
    yield ok(f"{url} leads to this Foyer.")
    yield from _who_comes(config, told)
    yield from _paths(config)


def _runs(config: Config) -> bool:
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(config.listen.host, config.listen.host)  # noqa: S104 - not ours
    where = f"[{host}]:{config.listen.port}" if ":" in host else f"{host}:{config.listen.port}"
    try:
        return web.get(f"http://{where}/healthz").status == 200
    except web.NoAnswer:
        return False


def _unreachable(config: Config, error: web.NoAnswer) -> Finding:
    url, listen = config.public_url, config.listen
    if not _runs(config):
        return warning(
            f"Foyer does not run: nothing of it answers at {listen}, nor at {url}.",
            "`foyer serve` starts it; then ask again.",
        )
    sentence = f"{url} cannot be reached from here: {error}."
    if error.kind == "dns":
        return fault(sentence, f"Give {urlsplit(url).hostname} an address in DNS, or correct public_url.")
    if error.kind == "tls":
        return fault(sentence, "Get a certificate for this name, for instance with Caddy or certbot.")
    if error.kind == "time-out":
        return warning(
            sentence, "If it opens in a browser elsewhere, all is well: some networks cannot ask themselves."
        )
    return fault(sentence, f"Start the proxy, and let it pass /register on to http://{listen}; or correct public_url.")


def _told(answer: web.Answer) -> dict[str, Any] | None:
    try:
        said = json.loads(answer.body) if answer.status == 200 else None
    except ValueError:
        return None
    return said if isinstance(said, dict) and "forwarded_for" in said else None


def _is_foyer(answer: web.Answer) -> bool:
    return answer.headers.get("Content-Security-Policy") == CONTENT_SECURITY_POLICY


def _not_foyer(config: Config, answer: web.Answer) -> Finding:
    url, listen = config.public_url, config.listen
    if answer.status in {301, 302, 303, 307, 308}:
        return fault(
            f"{url} leads on to {answer.headers.get('Location', '')[:200]}.",
            "Write in public_url where it ends up, such as https:// for http://.",
        )
    if _is_foyer(answer) and b"unknown-host" in answer.body:
        return fault(
            f"The proxy before {url} asks Foyer for another name than {config.public_host}.",
            "Let it pass on the name (nginx: proxy_set_header Host $host;), or add the other name to hosts.",
        )
    if _is_foyer(answer):
        return fault(
            f"Another Foyer answers at {url}, or one with another secret key or of an older version.",
            "Restart `foyer serve`, and let doctor have the same configuration.",
        )
    if answer.status in {502, 503, 504}:
        return fault(
            f"The proxy at {url} does not reach Foyer (status {answer.status}).",
            f"Let it pass requests on to http://{listen}, and start `foyer serve`.",
        )
    return fault(
        f"Something else than Foyer answers at {url}/register (status {answer.status}).",
        f"Let the proxy pass /register on to http://{listen}, or correct public_url.",
    )


def _who_comes(config: Config, told: dict[str, Any]) -> Iterator[Finding]:
    came_directly = urlsplit(config.public_url).netloc.rpartition(":")[2] == str(config.listen.port)
    if told["is_known"]:
        yield ok(f"Foyer knows whom requests come from: this one from {told['client']}.")
    elif told["forwarded_for"]:
        yield warning(
            f"The proxy at {told['peer']} says whom requests come from, and Foyer does not believe it: no limit for "
            "each visitor is applied.",
            f"Write `trusted_proxies: [{told['peer']}]`.",
        )
    elif came_directly:
        yield ok("No proxy stands between. That is fine for trying things out on this machine.")
    else:
        yield warning(
            "The proxy does not say whom requests come from: no limit for each visitor is applied.",
            f"nginx: add `{NGINX_LINE}` (Caddy does it by itself), and `trusted_proxies: [{told['peer']}]`.",
        )


def _paths(config: Config) -> Iterator[Finding]:
    arrive = []
    paths = _known_paths() + (_paths_of_applications() if "application" in config.open_ways else ())
    for path in paths:
        try:
            arrives = _is_foyer(web.get(f"{config.public_url}{path.path}", {"Accept": "application/json"}))
        except web.NoAnswer:
            arrives = False
        if arrives:
            arrive.append(f"/{path.path.split('/')[1]}")
        else:
            yield Finding("fault" if path.matters == "much" else "warning", path.without, path.remedy)
    if arrive:
        yield ok(f"Passed on: {', '.join(['/register', *arrive])}.")


def _known_paths() -> tuple[Path, ...]:
    return (
        Path(
            f"/{asset('foyer.css')}",
            "much",
            "/static does not reach Foyer: pages have no looks.",
            "Pass /static on as well (nginx: location ~ ^/(static|register)).",
        ),
        Path(
            f"/i/doctor-{secrets.token_hex(4)}",
            "little",
            "/i does not reach Foyer: the short links that `foyer invite` prints are dead.",
            "Pass /i on as well, or use `foyer invite link --plain`.",
        ),
        Path(
            "/api/version",
            "little",
            "/api does not reach Foyer: matrix-registration's API is closed to programs elsewhere.",
            "Pass /api on as well, if you want it open.",
        ),
    )


def _paths_of_applications() -> tuple[Path, ...]:
    return (
        Path(
            "/apply",
            "much",
            "/apply does not reach Foyer: nobody can ask for an account.",
            "Pass /apply on as well, or take application out of ways_in.",
        ),
        Path(
            "/desk/sign-in",
            "much",
            "/desk does not reach Foyer: moderators can decide on the command line only.",
            "Pass /desk on as well (and /admin, for Django's admin).",
        ),
    )
