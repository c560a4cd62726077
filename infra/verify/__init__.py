"""Everything follows from the log: how one sees that it does, beside live traffic.

Nothing here writes. What differs is named; what changed while it was read is counted apart.
"""
