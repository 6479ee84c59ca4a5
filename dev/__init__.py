"""What a checkout needs to run its demo and its tests: environments, a real Synapse, databases, a browser, mail.

Nothing here is in the wheel. Files here import Python's standard library only, so that they run before anything is
installed.
"""
