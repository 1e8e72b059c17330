"""Back-ups: a folder with the database and every file of an installation that cannot be made again, and the way back.

`manifest` says what such a folder holds, `postgres_tools` finds PostgreSQL's own programs, `writing` makes a back-up
while raters rate, `restoring` puts one into an installation that is empty. docs/OPERATING.md is for who runs them.
"""
