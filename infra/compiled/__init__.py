"""The hot modules of core and rows, compiled by mypyc: the same Python, the same bytes, sooner.

`python -m infra.compiled` builds them into the environment; `finder` loads them from there
while the sources are those that were compiled. Without a C compiler all runs interpreted.
"""
