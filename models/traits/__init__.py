"""What is computed of a customer at a moment: value, rhythm, interests, opinion, what goes with it.

Pure, and made when it is asked for: silence changes what is expected of a customer
without any event. The profile holds only what was observed, in whole numbers.
"""
