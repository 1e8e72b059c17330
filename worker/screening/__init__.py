"""Screening where database and arithmetic meet: rules of a test, outcomes, what applying would change, alarms.

`services` is what pages and the API call; it computes nothing but asks for it. `computing` is what the queue calls.
"""
