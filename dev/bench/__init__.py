"""How fast Foyer is, measured by one command: real processes, real HTTP over loopback, one case a file.

Everything is bounded in count and time, and speaks only to servers that it started itself. What is compared is measured
in turns in the same run, so that a busy moment of the machine meets both sides.
"""
