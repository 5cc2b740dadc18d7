"""Generated from protos/ by `make protos`; a test compares. Never edited by hand."""
