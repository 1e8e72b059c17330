"""What collection refuses. Each message is a full sentence that can be shown to the person who asked."""


class Refused(Exception):
    """Something a person asked for cannot be done; the message says what, the limit, and the next step."""


class ConsentChanged(Refused):
    """What a rater agreed to is not what the test says by now."""


class RatingConflict(Refused):
    """A rating that was sent before comes again with another answer, or for another pair."""


class Withdrawn(Refused):
    """The rater withdrew from the test: nothing of theirs is taken any more."""
