"""The embedded parts: a real Kafka and a real ClickHouse, and who keeps them running.

Nothing started here outlives its parent, and nothing is ever stopped but by its pid.
"""
