"""The write side: the dataflow on Kafka, one file a step, a verb each.

ingest -> validate -> resolve -> fold (with score and decide) -> learn, deliver

A step decodes, calls the core in `models`, and sends what it got.
"""
