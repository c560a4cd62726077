"""Step 0, ingest: HTTP -> touchpoints.

A 2xx means that Kafka has the event, on all in-sync replicas. What is wrong with
an event is told at once, and it still goes to the log, so that validating buries
it whole; a request that cannot be told apart into events leaves nothing behind.
"""
