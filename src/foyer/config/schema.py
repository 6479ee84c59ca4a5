"""Every key of foyer.yaml: its type, its default and what it means. Documentation and foyer.dist.yaml are made from it.

What binds several keys together is checked in `rules`, so read configurations with `load`, not with `Config` alone.
"""

from __future__ import annotations

from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import BeforeValidator, Field

from foyer.config import types as t
from foyer.config.blocks import (
    After,
    Api,
    Application,
    Block,
    Branding,
    Consent,
    Email,
    Homeserver,
    Invitations,
    Legal,
    Log,
    Mas,
    Moderators,
    Password,
    Question,
    Retention,
    Screening,
    Staff,
    Template,
    Usernames,
)
from foyer.config.database import parse_database
from foyer.config.places import Listen, without_default_port
from foyer.config.values import items, ways
from foyer.kit.client_ip import Network

__all__ = [
    "After",
    "Api",
    "Application",
    "Branding",
    "Config",
    "Consent",
    "Email",
    "Homeserver",
    "Invitations",
    "Legal",
    "Log",
    "Mas",
    "Moderators",
    "Password",
    "Question",
    "Retention",
    "Screening",
    "Staff",
    "Template",
    "Usernames",
]

Way = Literal["invitation", "application"]
DEFAULT_DATABASE = "sqlite:///foyer.sqlite3"
LOOPBACK_NAMES = ("localhost", "127.0.0.1", "[::1]")


class Config(Block):
    """The whole configuration."""

    server_name: Annotated[t.ServerName, t.Fill("example.org")] = Field(
        description="What follows the colon in the Matrix addresses of your homeserver."
    )
    secret_key: t.LongSecret | None = Field(
        default=None,
        description="What links and sessions are signed with. Unset: made once and kept beside the SQLite database; "
        "PostgreSQL needs it, the same on every machine.",
    )
    public_url: Annotated[t.BaseUrl, t.Fill("https://join.example.org")] = Field(
        description="Where people reach Foyer. It may have a path."
    )
    hosts: Annotated[tuple[t.Host, ...], BeforeValidator(items)] = Field(
        default=(),
        examples=[["door.example.org"]],
        description="Further host names that Foyer answers to. Those of this machine always work.",
    )
    homeserver: Homeserver = Homeserver()
    ways_in: Annotated[tuple[Way, ...], BeforeValidator(ways)] = Field(
        default=("invitation", "application"),
        description="How people get an account. Applications also need `email` and `moderators`.",
    )
    usernames: Usernames = Usernames()
    password: Password = Password()
    invitations: Invitations = Invitations()
    application: Application = Application()
    after: After = After()
    email: Email = Email()
    moderators: Moderators = Moderators()
    staff: Staff = Staff()
    legal: Annotated[tuple[Legal, ...], BeforeValidator(items)] = Field(
        default=(),
        examples=[[{"title": "Rules", "url": "https://example.org/rules", "must_accept": True}]],
        description="Rules and other texts. Each has title, url and must_accept.",
    )
    branding: Branding = Branding()
    screening: Screening = Screening()
    retention: Retention = Retention()
    database: Annotated[t.DatabaseUrl, t.Shown(DEFAULT_DATABASE)] = Field(
        default_factory=lambda: parse_database(DEFAULT_DATABASE),
        examples=["postgresql://foyer:password@127.0.0.1/foyer"],
        description="Where Foyer keeps its own tables. A relative path starts at the current directory.",
    )
    listen: t.ListenAt = Field(
        default=Listen("127.0.0.1", 5000), description="Where Foyer listens. Put a proxy in front."
    )
    trusted_proxies: t.Networks = Field(
        default=(),
        examples=[["127.0.0.1", "10.0.0.0/8"]],
        description="The proxies whose X-Forwarded-For is believed. true stands for this machine and private networks; "
        "a list is better.",
    )
    api: Api = Api()
    log: Log = Log()

    @property
    def trusted_networks(self) -> tuple[Network, ...]:
        """Return the networks of the proxies whose X-Forwarded-For is believed."""
        return self.trusted_proxies

    @property
    def public_origin(self) -> str:
        """Return scheme, host and port of `public_url` as browsers write an Origin."""
        parts = urlsplit(self.public_url)
        return without_default_port(f"{parts.scheme}://{parts.netloc}")

    @property
    def public_host(self) -> str:
        """Return the host of `public_url`, without port, IPv6 in brackets."""
        host = urlsplit(self.public_url).hostname or ""
        return f"[{host}]" if ":" in host else host

    @property
    def public_path(self) -> str:
        """Return the path that every URL of Foyer begins with: empty, or like `/join`."""
        return urlsplit(self.public_url).path

    @property
    def allowed_hosts(self) -> tuple[str, ...]:
        """Return every host name that a request may ask for, without ports."""
        return tuple(dict.fromkeys((self.public_host, *self.hosts, *LOOPBACK_NAMES)))

    @property
    def display_name(self) -> str:
        """Return what the pages call the server."""
        return self.branding.name or self.server_name

    @property
    def application_lacks(self) -> tuple[str, ...]:
        """Return the keys without which nobody can apply, though `ways_in` has it."""
        if "application" not in self.ways_in:
            return ()
        lacking = () if self.email.host else ("email.host",)
        return lacking if self.moderators.emails or self.moderators.room else (*lacking, "moderators.emails")

    @property
    def open_ways(self) -> tuple[Way, ...]:
        """Return the ways in that are open: those of `ways_in` that have what they need."""
        return tuple(way for way in self.ways_in if way == "invitation" or not self.application_lacks)
