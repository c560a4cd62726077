"""A believable world of customers: what the demo shows and the tests can check against.

people -> scenes -> world (history, then live) -> mischief -> send

Everything follows from the seed: the same seed, start and offers give the same
events. What customers really want and why they leave is stated in `truth`, so a
model's guess can be compared with it.
"""
