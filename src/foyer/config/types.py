"""The types of the schema: a Python type, the reader that makes it, and the words the documentation has for it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any

from pydantic import BeforeValidator, PlainValidator, SecretStr

from foyer.config import clients, database, places, values
from foyer.kit.client_ip import Network

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Words:
    """What the documentation calls a type; `none` is the word for None where that is a value."""

    text: str
    none: str = ""


@dataclass(frozen=True, slots=True)
class Fill:
    """The example that foyer.dist.yaml has, uncommented, for what an owner must fill in."""

    value: str


@dataclass(frozen=True, slots=True)
class Shown:
    """How the documentation writes a default that is worked out at start."""

    value: str


def _database(value: Any) -> database.Database:
    return value if isinstance(value, database.Database) else database.parse_database(values.text(value))


Slug = Annotated[str, BeforeValidator(values.slug), Words("small letters, digits, _ and -")]
Text = Annotated[str, BeforeValidator(values.text), Words("text")]
Lines = Annotated[str, BeforeValidator(values.lines), Words("text, may have several lines")]
Notice = Annotated[str, BeforeValidator(values.notice), Words("text, may have several lines")]
Template = Annotated[str, BeforeValidator(values.template), Words("text, may have several lines")]
Secret = Annotated[SecretStr, PlainValidator(values.secret), Words("secret")]
LongSecret = Annotated[SecretStr, PlainValidator(values.long_secret), Words("secret, at least 32 characters")]
Flag = Annotated[bool, BeforeValidator(values.flag), Words("true or false")]
Port = Annotated[int, BeforeValidator(values.whole(1, 65_535)), Words("port")]
PasswordLength = Annotated[int, BeforeValidator(values.whole(1, 255)), Words("whole number, 1 to 255")]
AnswerLength = Annotated[int, BeforeValidator(values.whole(0, 2_000)), Words("whole number, 0 to 2000")]
Uses = Annotated[
    int | None,
    PlainValidator(values.whole_or("unlimited", 1, 1_000_000)),
    Words("whole number, or `unlimited`", none="unlimited"),
]
Expires = Annotated[
    timedelta | None,
    PlainValidator(values.duration_or("never", timedelta(minutes=1), 3650 * DAY)),
    Words("duration, or `never`", none="never"),
]
Timeout = Annotated[
    timedelta,
    PlainValidator(values.duration(timedelta(seconds=1), timedelta(minutes=1))),
    Words("duration, 1s to 1m"),
]
Session = Annotated[timedelta, PlainValidator(values.duration(timedelta(minutes=5), 90 * DAY)), Words("duration")]
Retention = Annotated[timedelta, PlainValidator(values.duration(HOUR, 3650 * DAY)), Words("duration, 1h to 3650d")]
Rates = Annotated[tuple[values.Rate, ...], PlainValidator(values.rates), Words("rates")]
Colour = Annotated[str, BeforeValidator(values.colour), Words("colour, in quotes")]
OwnFile = Annotated[Path, PlainValidator(values.own_file), Words("path of a file")]
VerifyTls = Annotated[bool | Path, PlainValidator(values.verify_tls), Words("true, false, or the path of a CA bundle")]
Pattern = Annotated[re.Pattern[str], PlainValidator(values.pattern), Words("regular expressions")]
Patterns = Annotated[tuple[Pattern, ...], BeforeValidator(values.patterns)]

ServerName = Annotated[str, BeforeValidator(places.server_name), Words("server name")]
Host = Annotated[str, BeforeValidator(places.host), Words("host names")]
MailHost = Annotated[str, BeforeValidator(places.mail_host), Words("host name")]
BaseUrl = Annotated[str, BeforeValidator(places.base_url("https://join.example.org")), Words("URL")]
HomeserverUrl = Annotated[str, BeforeValidator(places.homeserver_url), Words("URL")]
Link = Annotated[str, BeforeValidator(places.link), Words("URL")]
Origin = Annotated[str, BeforeValidator(places.origin), Words("origins, or `*`")]
Email = Annotated[str, BeforeValidator(places.email), Words("email addresses")]
Sender = Annotated[str, BeforeValidator(places.sender), Words("email address, may have a name")]
Room = Annotated[str, BeforeValidator(places.room), Words("room alias or room ID")]
Localpart = Annotated[str, BeforeValidator(places.localpart), Words("user names")]
ListenAt = Annotated[places.Listen, PlainValidator(places.listen), Words("host:port")]
Networks = Annotated[
    tuple[Network, ...],
    PlainValidator(places.networks),
    Words("true, or list of networks"),
]
Client = Annotated[
    str | clients.OwnClient,
    PlainValidator(clients.client),
    Words(f"{', '.join(f'`{name}`' for name in clients.CLIENTS)}, and blocks of `name` and `url`"),
]
DatabaseUrl = Annotated[database.Database, PlainValidator(_database), Words("URL")]
