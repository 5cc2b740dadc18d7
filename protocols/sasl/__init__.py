"""SASL, RFC 4422: the mechanisms, server and client side, whatever protocol carries them.

A server's exchange is an object that is stepped with what the client said, out of its base64, and gives what
comes next (`step`); a client's is the same the other way round. Nothing here looks anything up: a password
comes out to be verified, SCRAM's keys are asked for and handed in.
"""
