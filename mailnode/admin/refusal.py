"""What an operator asked and is not done."""


class Refusal(Exception):
    """The text is one line for whoever asked."""


class Away(Exception):
    """The node does not answer."""
