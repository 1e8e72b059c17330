"""Rules that say of each rater whether their answers can be relied on. numpy and scipy; knows no database.

`answers` holds what the rules read, `expected`, `consistency` and `listening` the rules by what they look at, `rules`
the list of them with their defaults, `alarms` when a rule itself is to be doubted.
"""
