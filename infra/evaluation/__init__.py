"""Trying the learners on anybody's rows: a file in, a prequential report out.

file -> table -> columns -> rows -> prequential -> report

A file is read twice: once to learn what its columns hold, once to predict and learn. The
learners are the stream's own; nothing here knows anything about a data set.
"""
