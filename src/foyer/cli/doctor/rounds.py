"""In which order doctor looks, and what it leaves out when something before is broken."""

from __future__ import annotations

from collections.abc import Iterator

from foyer.cli.doctor.findings import Finding, fault
from foyer.config.errors import ConfigError

Found = Iterator[tuple[str, Finding]]


def rounds(*, mail_to: str | None, rehearse: bool = False) -> Found:
    """Yield what each finding is about, and the finding."""
    from foyer.cli.doctor import configuration

    try:
        config = configuration.read()
    except ConfigError as error:
        yield from (("Configuration", fault(str(problem))) for problem in error.problems)
        return
    yield from _about("Configuration", configuration.look(config))
    try:
        from foyer.config.boot import boot

        boot()
    except ConfigError as error:
        yield from (("Database", fault(str(problem))) for problem in error.problems)
        return
    # These import tables and settings, which there are only now.
    from foyer.cli.doctor import clock, database, door, homeserver, mail, rehearsal

    yield from _about("Database", database.look(config))
    yield from _about("Homeserver", homeserver.look(config, only_reading=rehearse))
    if rehearse:
        yield from _about("Rehearsal", rehearsal.look(config))
    yield from _about("Clock", clock.look(config))
    yield from _about("Mail", mail.look(config, mail_to=mail_to))
    yield from _about("Door", door.look(config))


def _about(what: str, found: Iterator[Finding]) -> Found:
    return ((what, one) for one in found)
