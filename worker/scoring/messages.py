"""What the web process and the scorer say to each other: a line of JSON, and after it the bytes of a sound."""

import json
from dataclasses import asdict, dataclass, field

from django.conf import settings
from django.utils.crypto import salted_hmac

ADDRESS = "/score"
# A minute of 48 kHz in stereo, 32 bits a sample, is 22 MiB.
LARGEST_SOUND_BYTES = 25 * 1024**2
# A hundred captions of two thousand letters, each at most twelve bytes as JSON.
LARGEST_QUESTION_BYTES = 3 * 1024**2


class Malformed(Exception):
    """What came is no question."""


@dataclass(frozen=True)
class Asked:
    """A question: the score of one sound with each of `captions`.

    `model` is a directory below MEDIA_ROOT where `is_stored`, else what a configuration calls a model. The sound is a
    file of a stored clip (`sound`, below MEDIA_ROOT) or `content`, what somebody sent under the name `name`. Who asks
    waits `within_s` seconds.
    """

    model: str
    is_stored: bool
    captions: tuple[str, ...]
    name: str
    within_s: float
    sound: str = ""
    content: bytes = field(default=b"", repr=False)


@dataclass(frozen=True)
class Scored:
    """As `modeling.scoring.Score`: the cosine on -1 to 1, the score and its standard deviation on 0 to 10."""

    cosine: float
    score: float
    score_sd: float | None


@dataclass(frozen=True)
class Answered:
    """`note` is what a reader of the scores must know of the model; blank where nothing is."""

    scores: tuple[Scored, ...]
    name: str
    note: str


def password() -> str:
    """What the scorer asks to hear: whoever knows the site's key may ask."""
    return salted_hmac("earmark.scorer", "question", algorithm="sha256").hexdigest()


def mime_type() -> str:
    return "application/vnd.earmark.question"


def pack(asked: Asked) -> bytes:
    told = {name: value for name, value in vars(asked).items() if name != "content"}
    return json.dumps(told).encode() + b"\n" + asked.content


def unpack(body: bytes) -> Asked:
    """Raises Malformed."""
    line, _, content = body.partition(b"\n")
    try:
        told = json.loads(line)
        captions = told.pop("captions")
        asked = Asked(**told, captions=tuple(captions), content=content)
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise Malformed("This is no question for the scorer.") from error
    texts = (asked.model, asked.name, asked.sound, *asked.captions)
    if not all(isinstance(text, str) for text in texts) or not isinstance(asked.within_s, int | float):
        raise Malformed("This is no question for the scorer.")
    return asked


def pack_answer(answered: Answered) -> bytes:
    return json.dumps(asdict(answered)).encode()


def unpack_answer(body: bytes) -> Answered:
    told = json.loads(body)
    return Answered(tuple(Scored(**score) for score in told["scores"]), told["name"], told["note"])


def seconds_to_answer() -> float:
    """How long who asks the scorer waits."""
    return float(settings.EARMARK_SCORE_SECONDS)
