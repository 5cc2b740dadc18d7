"""A message goes on: mail of our users for other domains.

What waits is rows of the sender's account (`outbox`), so it is as durable and as replicated as their mail.
Each recipient ends in exactly one of: taken by a server of its domain, or told to the sender (`bounce`).
"""
