"""Why a command is answered NO: the account's words (RFC 5530) and their texts."""

from __future__ import annotations

from protocols.imap.answer import No

_TEXTS = {
    "ALREADYEXISTS": "There is a mailbox of that name",
    "CANNOT": "Not possible with that mailbox or name",
    "DISKFULL": "The server's disk is full, try again later",
    "EXPUNGEISSUED": "Some of the messages are gone",
    "HASCHILDREN": "The mailbox has children",
    "LIMIT": "More than can be kept",
    "NONEXISTENT": "There is no such mailbox",
    "OVERQUOTA": "The quota is used up",
    "READ-ONLY": "The mailbox was selected by EXAMINE",
    "TOOBIG": "The message is too big",
    "TRYCREATE": "There is no such mailbox; CREATE makes it",
    "UNAVAILABLE": "Not possible now, try again later",
    "UNKNOWN-CTE": "A part has an encoding that is not known",
    "USEATTR": "No mailbox can have that use here, or another one has it",
}


_SAID = {"DISKFULL": "UNAVAILABLE"}
"""Words of ours that RFC 5530 does not have."""


class Refused(Exception):
    """A command cannot be done; `no` says it to the client."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.no = No(_TEXTS.get(code, "Not possible"), _SAID.get(code, code))
