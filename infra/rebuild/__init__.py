"""What the workers keep, made anew from the log beside them, and put in its place.

Workers are stopped for the tail alone. Each record that is written is whole, so a kill at any
moment leaves some customers made anew and the others as they were. No alert is sent from here.
"""
