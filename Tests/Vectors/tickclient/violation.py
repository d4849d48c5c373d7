"""What the client exists to find."""


class Violation(Exception):
    """The server did not do what the protocol says."""
