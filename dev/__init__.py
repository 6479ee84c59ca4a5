"""What a checkout needs to run its demo and its tests: environments, a real Synapse, databases, a browser, a mail catcher.

Nothing here is in the wheel. These files import Python's standard library only, so that they run before anything is installed.
"""
