"""Several clients on the mailboxes of one real node, and whether what they are told can be true.

Each client sends commands by a seed. `told` is what one client was told of its mailbox since SELECT:
numbers, UIDs and flags follow from it alone, and what contradicts it is a `Lie`. `world` is what all
clients together know: which message a UID is, which UIDs were given out, what each flag was set to and
when. So a flag that is read must have been in force at some moment of the reading, a UID is one message
for ever, \\Recent is said to one session, and what was stored stays until somebody may have expunged it.

From time to time all come to rest (`rest`): then a fresh session tells the truth, and every client must
have been told all of it, one too who returns by QRESYNC with what was true at the last rest.
`python -m tests.checker --seconds 60 --seed 7` plays long; tests play a few seconds.
"""
