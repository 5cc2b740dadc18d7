"""The peer's mistake, as a value that already holds the RFC's answer."""


class Fault(Exception):
    """Raised inside a parser to leave it at once; caught by the session, which answers it.

    `code` is the protocol's own word for it: an SMTP reply code with its enhanced status code
    (`501 5.5.2`), an IMAP status with its response code (`BAD`, `NO [TRYCREATE]`), a POP3 response code
    (`[IN-USE]`). `text` is for people, ASCII, without line ends.
    """

    __slots__ = ("code", "text")

    def __init__(self, code: str, text: str) -> None:
        super().__init__(code, text)
        self.code = code
        self.text = text
