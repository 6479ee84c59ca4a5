"""Who puts a kind of message into words. Higher rooms register themselves, in their `jobs.py` or `messages.py`.

@renders("applications.received")
def received(subject: str, to: str) -> Message | None: ...
"""

from __future__ import annotations

from collections.abc import Callable

from foyer.notify.messages import Message

Renderer = Callable[[str, str], Message | None]
Refused = Callable[[str, str], None]

_renderers: dict[str, Renderer] = {}
_refused: dict[str, Refused] = {}


def renders(kind: str) -> Callable[[Renderer], Renderer]:
    """Register the decorated `render(subject, to)` for `kind`.

    It is called outside of any transaction, each time that the message is tried, with the subject and the recipient
    that `deliver` was given. It returns the message, or None where there is nothing to say any more. The message goes
    to its own `to`, so take that from the same row as the keys in its links: a corrected email is then never proved
    by somebody else's mail. For moderators `to` is the one that was given.
    """

    def register(renderer: Renderer) -> Renderer:
        _renderers[kind] = renderer
        return renderer

    return register


def when_refused(kind: str) -> Callable[[Refused], Refused]:
    """Register the decorated `refused(subject, to)`: the mail server said for good that it takes no mail for `to`.

    It is called in the transaction that notes this. `to` may have been corrected since; compare before writing.
    """

    def register(refused: Refused) -> Refused:
        _refused[kind] = refused
        return refused

    return register


def renderer_of(kind: str) -> Renderer:
    """Return the renderer.

    Raises:
        LookupError: this version knows no such kind.
    """
    try:
        return _renderers[kind]
    except KeyError:
        raise LookupError(f"no room registered a renderer for {kind}") from None


def tell_refused(kind: str, subject: str, to: str) -> None:
    """Call the hook of this kind, if there is one."""
    hook = _refused.get(kind)
    if hook is not None:
        hook(subject, to)
