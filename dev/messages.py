"""The translations: gather every string that people see, and keep the catalogues in step with them.

    python -m dev.messages update     gather, and bring every catalogue up to date (new strings arrive untranslated)
    python -m dev.messages check      say what is missing or stale; 1 if anything is
    python -m dev.messages compile    make the .mo files, as the build does
    python -m dev.messages extract    print what was gathered

Babel gathers, not Django's makemessages: it reads Jinja's templates as Jinja does. No line numbers are kept, so a
catalogue changes only when a string does.
"""

from __future__ import annotations

import io
import sys
from collections.abc import Iterator
from pathlib import Path

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_from_dir
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

from dev.environments import ROOT

PACKAGE = ROOT / "src" / "foyer"
LOCALE = PACKAGE / "locale"
LANGUAGES = ("de", "pt_BR", "sv", "zh_Hans")
COMPLETE = ("de",)
# What newcomers read is complete in every language; what only owners and moderators read, in those of COMPLETE.
FOR_NEWCOMERS = tuple(
    f"src/foyer/{place}"
    for place in (
        "accounts/",
        "homeserver/errors.py",
        "invites/errors.py",
        "kit/",
        "notify/messages/",
        "notify/templates/",
        "screening/errors.py",
        "web/",
    )
)
FOR_STAFF = tuple(
    f"src/foyer/web/{place}"
    for place in ("admin/", "desk/", "staff/", "templates/admin/", "templates/desk/", "templates/staff/")
)
FOR_APPLICANTS = ("src/foyer/web/desk/wordings.py",)  # moderators choose them, applicants read them
KEYWORDS: dict[str, tuple[int | tuple[int, str], ...] | None] = {
    "_": None,
    "gettext": None,
    "gettext_lazy": None,
    "ngettext": (1, 2),
    "ngettext_lazy": (1, 2),
    "pgettext": ((1, "c"), 2),
    "pgettext_lazy": ((1, "c"), 2),
}
TEMPLATES = ("**/templates/**.html", "**/templates/**.txt")
METHODS = [("**.py", "python"), *((pattern, "jinja2.ext:babel_extract") for pattern in TEMPLATES)]
_JINJA = {
    "trimmed": "true",
    "silent": "false",
    "trim_blocks": "true",
    "lstrip_blocks": "true",
    "newstyle_gettext": "true",
}
OPTIONS = dict.fromkeys(TEMPLATES, _JINJA)
HEADER = """\
# Foyer in PROJECT_LANGUAGE. `python -m dev.messages update` keeps this file in step with the code.
#"""
WIDTH = 110


def gather() -> Catalog:
    """Return every string that the product can show, each with the files it is in."""
    found = Catalog(project="Foyer", charset="utf-8", fuzzy=False)
    for file, _line, message, comments, context in extract_from_dir(
        PACKAGE, METHODS, OPTIONS, keywords=KEYWORDS, comment_tags=("Translators:",), strip_comment_tags=True
    ):
        found.add(message, None, [(f"src/foyer/{file}", 0)], auto_comments=comments, context=context)
    return found


def path_of(language: str) -> Path:
    """Return where a language's catalogue is kept."""
    return LOCALE / language / "LC_MESSAGES" / "django.po"


def read(language: str) -> Catalog:
    """Return a language's catalogue as it is; an empty one where there is none yet."""
    path = path_of(language)
    if not path.exists():
        return Catalog(locale=language, project="Foyer", charset="utf-8", fuzzy=False)
    with path.open("rb") as file:
        return read_po(file, locale=language)


def render(catalogue: Catalog) -> bytes:
    """Return a catalogue as the file has it: without dates, so that it changes only when a string does."""
    catalogue.header_comment = HEADER.replace("PROJECT_LANGUAGE", str(catalogue.locale_identifier))
    file = io.BytesIO()
    write_po(file, catalogue, width=WIDTH, sort_output=True, ignore_obsolete=True, include_lineno=False)
    lines = file.getvalue().decode().splitlines(keepends=True)
    dated = (
        '"POT-Creation-Date:',
        '"PO-Revision-Date:',
        '"Last-Translator:',
        '"Report-Msgid-Bugs-To:',
        '"Generated-By:',
    )
    return "".join(line for line in lines if not line.startswith(dated)).encode()


def updated(language: str, gathered: Catalog) -> Catalog:
    """Return a language's catalogue with every string of now, and none that is gone."""
    catalogue = read(language)
    catalogue.update(gathered, no_fuzzy_matching=True)
    return catalogue


def update() -> None:
    """Write every catalogue anew."""
    gathered = gather()
    for language in LANGUAGES:
        catalogue = updated(language, gathered)
        path = path_of(language)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(render(catalogue))
        untranslated = sum(
            1 for message in catalogue if message.id and not _is_complete(message) and _is_wanted(message, language)
        )
        print(f"{language}: {len(catalogue)} strings, {untranslated} to translate")


def _is_complete(message: Message) -> bool:
    texts = message.string if isinstance(message.string, (tuple, list)) else (message.string,)
    return bool(texts) and all(texts) and not message.fuzzy


def _is_wanted(message: Message, language: str) -> bool:
    return language in COMPLETE or any(_is_for_newcomers(file) for file, _line in message.locations)


def _is_for_newcomers(file: str) -> bool:
    return file.startswith(FOR_APPLICANTS) or (file.startswith(FOR_NEWCOMERS) and not file.startswith(FOR_STAFF))


def problems() -> Iterator[str]:
    """Say, a line each, what keeps a catalogue from being complete and in step."""
    gathered = gather()
    for language in LANGUAGES:
        path = path_of(language).relative_to(ROOT)
        if not (ROOT / path).exists() or (ROOT / path).read_bytes() != render(updated(language, gathered)):
            yield f"{path} is not in step with the code. Run `python -m dev.messages update`."
        catalogue = updated(language, gathered)
        for message in catalogue:
            if message.id and not _is_complete(message):
                if _is_wanted(message, language):
                    yield f"{path}: {message.id!r} is not translated."
            elif message.id:
                yield from (f"{path}: {message.id!r}: {error}" for error in message.check(catalogue))


def compile_catalogues() -> list[Path]:
    """Make the .mo files that are missing or older than their source; return them."""
    made = []
    for language in LANGUAGES:
        source = path_of(language)
        target = source.with_suffix(".mo")
        if not source.exists() or (target.exists() and target.stat().st_mtime_ns >= source.stat().st_mtime_ns):
            continue
        file = io.BytesIO()
        write_mo(file, read(language))
        # Put in place whole: a test beside this one may be reading it.
        half = target.with_suffix(f".mo.{id(file):x}")
        half.write_bytes(file.getvalue())
        half.replace(target)
        made.append(target)
    return made


def main(arguments: list[str]) -> int:
    """Do what the first argument says."""
    match arguments:
        case ["extract"]:
            print(render(gather()).decode())
        case ["update"]:
            update()
        case ["compile"]:
            compile_catalogues()
        case ["check"]:
            found = list(problems())
            print("\n".join(found) or "Every catalogue is complete and in step.")
            return 1 if found else 0
        case _:
            print(__doc__)
            return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
