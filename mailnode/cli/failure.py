"""What ends a command."""


class Failure(Exception):
    """The text is one line for whoever typed the command; `status` is what it ends with."""

    def __init__(self, text: str, status: int = 1) -> None:
        super().__init__(text)
        self.status = status
