"""SMTP, submission and LMTP, server side: RFC 5321, RFC 6409, RFC 2033 and their extensions.

`server.Session` is the session; `profile` says which of the three it plays, `command` has one row for each
verb, `extension` one for each EHLO keyword, `content` finds the end of a message, `trace` writes the fields
that say which way it came.

Invariants. Only CRLF.CRLF ends content, and only a counted octet ends a chunk; whatever is refused is first
read to its true end, so the session never takes content for commands. Answers leave in the order of what they
answer. What is given as an event does not depend on how the octets were cut.
"""
