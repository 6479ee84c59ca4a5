"""A Foyer of a later version: it has one migration more than this one."""
