"""What a domain's owner wants done with mail that only says it is theirs: DMARC, RFC 9989.

Pure: a record is read, names to ask are given, and what was found says whose policy holds. The successor of
RFC 7489 needs no list of public suffixes: the records themselves say where an organisation begins.
"""
