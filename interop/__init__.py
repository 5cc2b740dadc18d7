"""Foreign programs against a running server: clients that must be content, and peers to compare with."""
