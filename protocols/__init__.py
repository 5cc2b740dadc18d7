"""What the RFCs define, as pure code: octets in, events and octets out.

A session of any protocol, server or client side, has three verbs:

    feed(octets)            what the peer sent, cut anywhere
    next() -> event | None  what it means; None: more octets are needed, or an answer is awaited
    send(event, answer) -> octets   what we say to it; octets that may leave now

A session never calls anybody and touches no socket, disk, clock, DNS or randomness; limits and host
names are arguments of its constructor. Any octets at all end in events; a peer's mistake is answered by
the session itself or carried in an event as a `Fault`, never raised out of it.
"""
