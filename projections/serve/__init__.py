"""The profile API and the console, on one port, from one live read model.

Served from memory: neither a worker nor ClickHouse is asked while a request waits.
"""
