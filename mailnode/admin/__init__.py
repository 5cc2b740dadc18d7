"""What an operator asks of a running node: gRPC over a unix socket in the node's directory.

Invariant: whoever may write into the directory may ask; nobody else can reach the socket.
"""
