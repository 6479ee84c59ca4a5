"""What is said to whom: a dataclass for each message, and the channels that carry it."""
