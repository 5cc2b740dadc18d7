"""The IMAP listener: what each event of `protocols.imap.server` does to an account, and what it answers.

    table       one row for each type of event
    client      what the rows of one connection share; how they ask the account and end a command
    compress    COMPRESS
    login       before authentication: LOGIN, AUTHENTICATE, STARTTLS
    mailboxes   the list of mailboxes: CREATE to STATUS
    selected    the selected mailbox: what its client knows, and news of it
    select      SELECT, EXAMINE, CLOSE, UNSELECT
    idle        IDLE
    fetch       FETCH
    utf8        what FETCH shows to a client with UTF8=ACCEPT
    message     STORE, COPY, MOVE, EXPUNGE, SEARCH
    append      APPEND

Invariants: a tagged OK follows the await of what it promises; news of the selected mailbox is told before the
tagged answer of every command, EXPUNGE not in answer to FETCH, STORE and SEARCH by sequence numbers (RFC 9051
§7.5.1); what the account says is never older than what this client was told.
"""

from mailnode.listeners.imap.table import listener

__all__ = ["listener"]
