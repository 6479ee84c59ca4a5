"""The `foyer` command.

`foyer --help` must answer at once, so nothing heavy is imported before it is known which command is meant:
`catalogue` says which module has it, and only that one is loaded.
"""
