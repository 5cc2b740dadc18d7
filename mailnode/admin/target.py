"""What both ends of Admin tell gRPC."""

from mailnode.limits import MiB

MESSAGE_OPTIONS = (("grpc.max_receive_message_length", 64 * MiB),)
"""A batch of messages is some MiB, but each may have a header of any length."""
