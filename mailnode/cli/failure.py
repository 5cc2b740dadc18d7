"""What ends a command."""


class Failure(Exception):
    """The text is one line for whoever typed the command."""
