"""The node: everything that touches a socket, a disk, a clock or another node."""
