"""What another mail store had comes in, and what an account has goes out.

Invariants: a store is read a message at a time, so memory does not grow with it; whatever ends an import or
an export, the same command goes on where it stopped and doubles nothing; a message that cannot be taken or
written is named and stops no other.
"""
