"""Work that happens after a commit: enqueued in the caller's transaction, done at least once.

One table, a lane for each outside party, so that a mail server that hangs holds up no homeserver call.
A lease outlives a killed worker by seconds, then another worker takes the job. Every deed is idempotent.
"""
