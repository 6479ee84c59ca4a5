"""Is this attempt welcome? So far: limits on how often something may be tried.

`limits.check(rule, client)` counts an attempt or refuses it. The counters live outside the tables that matter (a file
beside the SQLite database, an UNLOGGED table in PostgreSQL), shared by all processes, and nothing depends on them:
where they break, everybody is let through and the log says so.
"""
