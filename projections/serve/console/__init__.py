"""The console: pages for call-centre agents and marketers, in Korean and English.

Rendered here, from the same live profiles as the API; no asset comes from elsewhere,
and everything works without a script save the live updates.
"""
