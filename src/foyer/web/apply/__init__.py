"""The other way in: asking for an account. No session; a request's own pages live behind the key in its secret link.

One file a step. `stage` says where somebody stands, and what the pages share; `traps` notices programs.
"""
