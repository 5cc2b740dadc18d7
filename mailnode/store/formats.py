"""The format of what is stored: of entries of a log, and of the rows that they make.

One number for both, since rows are a function of an entry and its format alone. A node among others writes in
the format of the cluster, which is raised once every node reads it; one that stands alone writes the latest.
"""

FORMAT = 2
"""The latest that this program reads and writes."""

FORMAT_FIRST = 2
"""The earliest that it reads."""
