"""What a user's mail is.

Invariants: there is one object an account on its node (`accounts`), one way to write (`Account.apply`), and
readers see only what is committed. `decide` is pure: from the decided state and an intent to a change;
`rows` is pure: from a change to rows. UIDs, positions and mail ids that a reader saw are never given to
something else.
"""
