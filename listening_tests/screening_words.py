"""What a screening rule asks, and what it found of a rater, in words for staff. Points are on 0 to 10."""

from listening_tests.choices import PutTogether
from listening_tests.choices import ScreeningRuleName as Name
from listening_tests.models import ScreeningRule

# What is in excess of a share of it.
_OF = {
    Name.GOLD: "gold pairs off their expected range",
    Name.TRAP: "instructed traps missed",
    Name.STRAIGHT_LINING: "answers one and the same in a row",
    Name.TOO_FAST: "answers too fast",
    Name.PLAY_EVIDENCE: "answers without the clip played and heard",
}
_ANCHORS = {
    PutTogether.SUM: "{at_least} mismatched anchors get more than {points} together",
    PutTogether.MEAN: "mismatched anchors get more than {points} on average",
    PutTogether.ANY: "a mismatched anchor gets more than {points}",
}
_FAILS = {
    Name.GOLD: "{share} gold pairs are scored outside of their expected range{by}",
    Name.TRAP: "{share} instructed traps are missed{by}",
    Name.REPEATS: "the two scores of a hidden repeat lie more than {points} apart on average",
    Name.STRAIGHT_LINING: "one and the same answer comes in a row, for more than {limit:.0%} of all answers",
    Name.LOW_VARIANCE: "the scores' standard deviation is below {points}",
    Name.TOO_FAST: "{share} answers come less than {tolerance:g} s after the clip can have been heard",
    Name.PLAY_EVIDENCE: "{share} answers come without 95 % of the clip heard, give or take {tolerance:g} s",
    Name.AGREEMENT: "the correlation with the others' means is below {limit:g}, even at the upper end of its 95 % "
    "interval",
    Name.HEADPHONES: "the headphone check of the sitting was failed",
}


def fails_where(rule: ScreeningRule) -> str:
    """When a rater fails, without a full stop: "any of the instructed traps are missed"."""
    name = Name(rule.rule)
    words = _ANCHORS[PutTogether(rule.how)] if name is Name.ANCHORS else _FAILS[name]
    told = words.format(
        limit=rule.limit,
        points=_points(rule.limit),
        share=f"more than {rule.limit:.0%} of the" if rule.limit else "any of the",
        by=f" by more than {_points(rule.tolerance)}" if rule.tolerance else "",
        tolerance=rule.tolerance,
        at_least=rule.at_least,
    )
    return told.replace("%", " %").replace("  %", " %")


def _points(number: float) -> str:
    return "1 point" if number == 1 else f"{number:g} points"


def found_words(rule: str, value: float | None, n: int) -> str:
    """What was found of a rater: "1 of 2 instructed traps missed". Empty where nothing was."""
    name = Name(rule)
    if value is None:
        return ""
    if name in _OF:
        return f"{round(value * n)} of {n} {_OF[name]}"
    told = {
        Name.ANCHORS: f"{value:.3g} points for {n} mismatched anchors",
        Name.REPEATS: f"{value:.1f} points between the scores of {n} repeated sounds",
        Name.LOW_VARIANCE: f"standard deviation {value:.2f} over {n} scores",
        Name.AGREEMENT: f"correlation {value:.2f} with the others over {n} sounds",
        Name.HEADPHONES: "headphone check failed" if value else "headphone check passed",
    }
    return told[name]
