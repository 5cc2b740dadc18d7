"""POP3: RFC 1939, with CAPA and response codes (RFC 2449, RFC 3206), STLS (RFC 2595), AUTH (RFC 5034), UTF8
and LANG (RFC 6856).

Once the maildrop is open the session knows its sizes and unique-ids, so it answers STAT, LIST, UIDL, DELE,
RSET and NOOP by itself; what it asks for is who the user is, octets, and the removal of messages at the end.
"""
