"""A bad day for Foyer, made on purpose: people come in while its processes are killed and its network breaks.

Afterwards the homeserver and the database are asked whether anything was lost or counted twice. `run.py` is the
whole story; docs/reliability.md has what came of it.
"""
