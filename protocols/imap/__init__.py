"""IMAP4 (RFC 3501, RFC 9051 and extensions), server side, as pure code.

The idea: reading has two stages. `framing` cuts one whole command, its literals included, within limits;
`grammar` and `arguments` parse it after, with a `Cursor` over octets that are all there. Only the message of
an APPEND streams. `command` holds one row a command: states, argument production, what is special about it.

    event       what a client asked, as frozen values            (Session.next)
    answer      what may be said to an event                      (Session.send)
    server      the session: feed, next, send
    message     the messages of an APPEND on their way in
    view        what this client was told of its mailbox, and the untagged responses that follow from changes
    fetch       FETCH attributes compiled to a plan; columns to octets of many responses at once
    search      SEARCH keys as plain values
    resync      what a client says that it knows of a mailbox (QRESYNC)
    objectid    EMAILID and THREADID
    listing     LIST and LSUB over the names of an account
    response    octets of every other response
    capability  what is advertised in which state

Invariants: any octets, cut anywhere, end in events and answers, never in an exception; answers leave in the
order of the commands; a command that broke the grammar leaves the session in step with the client.
"""
