"""What the DNS says about a domain. Names are asked in one place, `resolver`, which remembers the answers.

Invariants. A name is asked once however many want it at the same time. An answer is kept no longer than its
TTL; that a server could not answer is never taken for "there is none".
"""
