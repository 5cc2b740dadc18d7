"""A message comes in: from the open net or another part of our site (`accept`), from our user (`submit`).

A `Transaction` knows nothing of connections: it is given paths and content, and gives the replies of RFC 5321
§4.2. Invariants. A positive reply to content is given only when every copy is durable. An account gets one
copy of a transaction, by however many addresses. All accounts get the same octets.
"""
