"""docs/configuration.md, made from the schema."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pydantic import BaseModel

from foyer.config.keys import Key, all_keys, blocks, keys_of
from foyer.config.writing import compose, dump

BEGINNING = """\
<!-- Made from the schema by `python -m foyer.config.dist`. Change src/foyer/config/, not this page. -->

# Configuration

`foyer setup` asks the few things that matter and writes a configuration. This page has every key.

## Where it is found

The first of these: `foyer --config PATH` (or `--config-path`), the environment variable `FOYER_CONFIG`,
`./foyer.yaml`, `~/.config/foyer/foyer.yaml`, `/etc/foyer/foyer.yaml`. Without a file the environment alone will do.
`foyer config check` says what is wrong, with line and remedy, everything at once; `foyer config show` prints what
counts, with secrets masked. `foyer.dist.yaml` has every key with its default, to copy from.

The smallest useful one:

```yaml
%s```

## How values are written

- **Text** needs no quotes unless it has ` #` or `: ` in it, or begins with a sign such as `#`, `*`, `&`, `!`, `@` or
  `%%`. Room aliases and colours begin with `#`, so they do need them. Values are taken as written: `0123` stays `0123`,
  and `no` stays a word where a word is meant.
- **Durations** are a whole number and a unit: `90s`, `15m`, `12h`, `7d`, `2w`.
- **Rates** are how many, a slash, and `second`, `minute`, `hour` or `day`, with commas between several:
  `10/minute, 100/day`.
- **Nothing** (`key:` or `key: null`) is the default. For no limit and no end write `unlimited` and `never`.
- A key that Foyer does not know is an error that names the nearest one, and so is a key that stands twice.
- A relative SQLite path starts at the current directory; other relative paths start beside the configuration file.

## From the environment

Every key has a name in the environment, given below; two underscores stand between block and key. The environment
counts more than the file. Lists are JSON or are separated by commas, lists of blocks are JSON; a single regular
expression is taken whole. An empty variable is the default, or an empty list.

Names beginning with `FOYER_SERVICE_`, `FOYER_PORT` and `FOYER_TEST_` are not Foyer's configuration: Kubernetes sets
the first two for a service called foyer.

## Secrets from files

Every secret, and `database`, can stand in a file of its own: `admin_token_file: /run/secrets/admin_token` in the file,
or `FOYER_HOMESERVER__ADMIN_TOKEN_FILE` in the environment. One line break at its end is left out. Secrets never appear
in logs, in messages or in `foyer config show`.
"""
SMALLEST = {
    "server_name": "example.org",
    "public_url": "https://join.example.org",
    "homeserver": {"url": "http://127.0.0.1:8008", "registration_shared_secret": "…"},
}


def reference() -> str:
    """Return docs/configuration.md."""
    return BEGINNING % compose(SMALLEST) + "\n".join(_sections()) + "\n"


def _sections() -> Iterator[str]:
    for path, block in blocks().items():
        keys = [key for key in all_keys() if key.path[:-1] == path]
        yield from ("", f"## {'.'.join(path) if path else 'At the top'}", "")
        if path:
            yield from (_prose(block), "")
        yield from _table(keys)
        for key in keys:
            if key.entry is not None:
                yield from ("", f"### Entries of {key.dotted}", "", _prose(key.entry), "")
                yield from _table(list(keys_of(key.entry)), outside=False)


def _prose(block: type[BaseModel]) -> str:
    return " ".join((block.__doc__ or "").split())


def _table(keys: Sequence[Key], *, outside: bool = True) -> Iterator[str]:
    yield "| Key | Type | Default | Meaning |"
    yield "|---|---|---|---|"
    for key in keys:
        name = f"`{key.dotted}`" + (f"<br>`{key.environment}`" if outside else "")
        examples = "".join(f" Example: `{dump(example, one_line=True)}`." for example in key.examples)
        cells = (name, key.words, _default(key), key.doc + examples)
        yield "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _default(key: Key) -> str:
    if key.field.is_required():
        return "required"
    if key.default is None:
        return "unset"
    return f"`{dump(key.default, one_line=True)}`"
