"""`manage.py doctor`: looks at an installation and says what to mend.

A check is a function that returns a `Finding`; `checkup` lists them all. It changes nothing but a file that it writes
and removes again.
"""
