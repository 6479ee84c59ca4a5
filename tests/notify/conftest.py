"""What these tests share."""

from __future__ import annotations

from tests.support.smtp import sink

__all__ = ["sink"]
