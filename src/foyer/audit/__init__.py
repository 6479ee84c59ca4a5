"""Who did what to whom, and when. Append-only; subjects by id, so that erasing a person is possible."""
