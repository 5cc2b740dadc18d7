"""What other domains' owners hear from us, and we from them: DMARC and TLS reports.

`tally` keeps what was found of each message and each session in rows of a system account: the spool account
of the partition of the policy domain's hash. So whoever has that partition sends one report for the whole
cluster (`sending`). Nothing comes back of a report: it has the null reverse-path, unless told otherwise.
"""
