"""Fitting the population's parameters to a sample of the customers, once a day.

What is found is appended to the model log as one command; scorers take it from the snapshot
that its learner writes. So whoever replays the log has the same parameters at the same place.
"""
