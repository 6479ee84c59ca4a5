"""Backups: every table in one file that either database can take up again.

A backup is a ZIP file. `tables/<table>.jsonl` has a JSON object for each row, `secret-key` the key that Foyer made for
itself, and `backup.json`, written last, says what belongs in it. A file without it broke off.
"""
