"""What must work, what must be refused and what must not desynchronise: one table for every protocol.

A file of cases is text, one file a subject; every case is played against one real node over real sockets:

    @ selected                     what connection 1 begins with, here for every case of the file
    == A sentence that it proves (RFC 9051 §6.4.4)
    @ examined plain mime          the same for this case alone; @2 for its second connection, and so on
    C: a SEARCH ALL                we send this line and CRLF
    C\\ first\\n.\\r\\n\\x00            we send exactly these octets (escapes as in a Python literal)
    C* 300 A                       we send 300 times "A", without a line end
    C= a CREATE other              we send this line and read until it has gone well: the scene is set
    S: * SEARCH 1 ...              the server says this line and CRLF next; "..." stands for any text
    S\\ {3}\\r\\nabc                  the server says exactly these octets next, and need not end a line
    S* * ...                       the server may say lines like this, until one is what follows
    S& * 3 EXISTS                  the server says the S& lines that stand together, in any order
    S: * OK [UIDNEXT $(next)] ...  $(next) stands for a word the first time, and for that very word later
    C: a UID FETCH $(next) FLAGS   also in what we send
    T:                             both sides change to TLS
    E:                             the server closes the connection
    X:                             we close the connection

C2:, S2:, E2: and so on belong to connection 2, which is opened when the case begins if it has a scene. The
C lines of one connection that stand together leave in one piece. A connection that is open at the end of a
case is probed: a command of its own must be answered as it should, and nothing may be left over. So a case
also fails when it leaves the two sides at different places in the dialogue.

Octets are those of the file, which is UTF-8 where it is text. Scenes, the probe and what "gone well" means
are the protocol's: `House`.
"""
