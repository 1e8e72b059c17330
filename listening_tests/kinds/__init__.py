"""The kinds of tests: what is given out, what is asked about it, and which rows the answer becomes.

Sessions, leases, outbox, evidence and export are the same for all. A new kind is a module here with a class that keeps
`kinds.kind.Kind`, a template and a script of its name for the page, and a name in `choices.TestKind`.
"""

from listening_tests.choices import TestKind
from listening_tests.kinds.comparison import ComparisonKind
from listening_tests.kinds.kind import Kind
from listening_tests.kinds.rating import RatingKind
from listening_tests.kinds.side_by_side import SideBySideKind
from listening_tests.models import ListeningTest

_KINDS: dict[str, Kind] = {
    TestKind.RATING: RatingKind(),
    TestKind.COMPARISON: ComparisonKind(),
    TestKind.SIDE_BY_SIDE: SideBySideKind(),
}


def kind_of(test: ListeningTest) -> Kind:
    return _KINDS[test.kind]
