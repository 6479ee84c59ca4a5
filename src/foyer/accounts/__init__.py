"""Accounts that come into being: made on the homeserver, settled when its answer was lost, then welcomed."""
