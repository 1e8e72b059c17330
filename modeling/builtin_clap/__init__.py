"""Earmark's built-in small CLAP: the committed model directory, and `build`, the command that makes it from nothing.

It is a `transformers.ClapModel` like any other, trained contrastively on clean recordings of the generated world. It
knows which sound goes with which caption, and nothing of people's scores, of order and counts beyond what captions say,
or of degraded sound.
"""
