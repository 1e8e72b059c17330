"""What a file of ratings says, once every row of it was found good: questions, pairs, trials, and the answers."""

from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from listening_tests.choices import PairRole, TestKind

# A clip is known by its sha256 or, where the file names none, by its name; a pair by its clip, caption and language,
# and by whether it is a hidden repeat.
ClipKey = tuple[str, str]
PairKey = tuple[ClipKey, str, str, bool]


@dataclass(frozen=True, slots=True)
class ImportedClip:
    sha256: str
    name: str
    duration_s: float | None

    @property
    def key(self) -> ClipKey:
        return ("sha256", self.sha256) if self.sha256 else ("name", self.name)


@dataclass(slots=True)
class ImportedPair:
    """`role` is empty where the file says none, `uuid` and `own_split` None. `place` is the row that named it first."""

    place: str
    clip: ImportedClip
    caption: str
    language: str
    system: str
    source_id: str
    role: str
    expected_min: float | None
    expected_max: float | None
    own_split: str | None
    uuid: UUID | None

    @property
    def key(self) -> PairKey:
        return (self.clip.key, self.caption, self.language, self.is_repeat)

    @property
    def is_repeat(self) -> bool:
        return self.role == PairRole.REPEAT


@dataclass(frozen=True, slots=True)
class ImportedQuestion:
    """`labels` are words in between: (value, word), ascending."""

    name: str
    prompt: str
    scale_min: float
    scale_max: float
    scale_step: float
    min_label: str
    max_label: str
    labels: tuple[tuple[float, str], ...]


@dataclass(slots=True)
class ImportedTrial:
    """Its pairs are those that any row of it names, in the order in which they come."""

    place: str
    role: str
    pairs: dict[PairKey, None] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ImportedExclusion:
    rule: str
    version: int
    reason: str


@dataclass(slots=True)
class ImportedAnswer:
    """One row. Of a comparison `pairs` and `heard` hold the first and the second, and `choice` is said, else `score`.

    `heard` holds (plays, seconds), each None where the file does not say.
    """

    place: str
    uuid: UUID | None
    client_uuid: UUID | None
    rater: str
    question: str
    trial: UUID | None
    place_in_trial: int | None
    score: float | None
    choice: str
    pairs: tuple[PairKey, ...]
    heard: tuple[tuple[int | None, float | None], ...]
    shown_at: datetime | None
    submitted_at: datetime | None
    late: bool
    too_soon: bool
    exclusions: tuple[ImportedExclusion, ...]


@dataclass
class ImportedAnswers:
    """`tests` are the addresses of the tests that the rows say they come from."""

    kind: TestKind = TestKind.RATING
    is_simulated: bool = False
    tests: set[str] = field(default_factory=set)
    questions: dict[str, ImportedQuestion] = field(default_factory=dict)
    pairs: dict[PairKey, ImportedPair] = field(default_factory=dict)
    trials: dict[UUID, ImportedTrial] = field(default_factory=dict)
    answers: list[ImportedAnswer] = field(default_factory=list)

    @property
    def clips(self) -> dict[ClipKey, ImportedClip]:
        return {pair.clip.key: pair.clip for pair in self.pairs.values()}

    @property
    def raters(self) -> set[str]:
        return {answer.rater for answer in self.answers}

    def trial_role(self, trial: ImportedTrial) -> str:
        """Where the file does not say it: practice where all pairs are for practice, else study."""
        roles = {self.pairs[key].role for key in trial.pairs}
        return trial.role or (PairRole.PRACTICE if roles == {PairRole.PRACTICE} else PairRole.STUDY)
