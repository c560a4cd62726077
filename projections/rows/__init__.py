"""What makes rows by the million, and columns of them: compiled, as the core is.

Nothing here imports what lies outside of `models` and this folder.
"""
