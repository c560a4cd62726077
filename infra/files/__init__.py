"""Touchpoints from files: JSON Lines, CSV and Parquet onto the `touchpoints` topic.

rows -> mapping -> drafts -> check -> send

A file is read twice: once to check every row and to learn how far in time it
reaches, once to send it. What a row becomes follows from the file's content
alone, so a file sent again, or sent on after a kill, says nothing twice.
"""
