"""The replication core under a deterministic simulator: one seed is one history of faults."""
