"""The options that the commands of applications have in common."""

from __future__ import annotations

from typing import Annotated

import typer

Id = Annotated[str, typer.Argument(metavar="ID", help="The number, as `list` shows it.")]
Ids = Annotated[list[str], typer.Argument(metavar="ID…", help="Numbers, as `list` shows them.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Message = Annotated[str, typer.Option("--message", "-m", metavar="TEXT", help="What the applicant is told.")]
Reason = Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why; only moderators read it.")]
Silent = Annotated[bool, typer.Option("--silent", help="Send the applicant no mail.")]
