"""Authenticated Received Chain: RFC 8617. What its fields are made over, and what is a chain."""
