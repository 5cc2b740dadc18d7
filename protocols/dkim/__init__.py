"""DomainKeys Identified Mail: RFC 6376. What is hashed, and the field that says so; keys are elsewhere.

Canonicalization is relaxed/relaxed: it outlives the refolding and the trailing blanks of other servers.
"""
