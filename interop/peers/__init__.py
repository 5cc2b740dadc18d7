"""Other servers, run the way `tests.wire.server.Server` runs ours."""
