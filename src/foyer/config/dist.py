"""foyer.dist.yaml and docs/configuration.md, both made from the schema: `python -m foyer.config.dist [--check]`."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from foyer.config.keys import all_keys, blocks
from foyer.config.reference import reference
from foyer.config.writing import comment, dump, setting

ROOT = Path(__file__).resolve().parents[3]
HEADER = """\
# Every key of Foyer's configuration, with its default.
#
# Copy this file to foyer.yaml and fill in the lines that have no # in front. All others may stay as they are:
# remove the # to change one. Every key can also come from the environment (FOYER_HOMESERVER__URL), every secret
# from a file of its own (admin_token_file: /run/secrets/admin_token). Durations are written 90s, 15m, 12h, 7d, 2w.
#
# Made from the schema; `python -m foyer.config.dist` writes it anew.
"""


def dist_yaml() -> str:
    """Return foyer.dist.yaml."""
    return HEADER + "\n".join(_lines()) + "\n"


def _lines() -> Iterator[str]:
    before: tuple[str, ...] = ()
    for key in all_keys():
        block = key.path[:-1]
        indent = "  " * len(block)
        yield ""
        if block != before[: len(block)]:
            yield from comment(blocks()[block].__doc__ or "", indent[2:])
            yield f"{indent[2:]}{block[-1]}:"
        before = block
        yield from comment(f"{key.doc} ({key.words.replace('`', '')})", indent)
        for example in key.examples:
            yield f"{indent}# Example: {key.path[-1]}: {dump(example, one_line=True)}"
        if key.fill is not None:
            yield from setting(key.path[-1], key.fill, indent)
        else:
            yield from (f"{indent}# {line}" for line in setting(key.path[-1], key.default))


def main(arguments: Sequence[str]) -> int:
    """Write both files, or with --check say whether they are what the schema makes."""
    made = {ROOT / "foyer.dist.yaml": dist_yaml(), ROOT / "docs" / "configuration.md": reference()}
    stale = [path for path, text in made.items() if not path.is_file() or path.read_text(encoding="utf-8") != text]
    for path in stale:
        if "--check" in arguments:
            sys.stderr.write(f"{path.relative_to(ROOT)} is stale. Run `python -m foyer.config.dist`.\n")
        else:
            path.parent.mkdir(exist_ok=True)
            path.write_text(made[path], encoding="utf-8")
            sys.stdout.write(f"{path.relative_to(ROOT)} is written.\n")
    return 1 if stale and "--check" in arguments else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
