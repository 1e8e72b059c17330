"""A scene in words: events in an order, with counts, in natural English with paraphrases."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from modeling.synthetic.sounds import KINDS


@dataclass(frozen=True)
class Event:
    """A kind of sound and how often it is heard; the count of a continuous kind is 1."""

    kind: str
    count: int = 1


Scene = tuple[Event, ...]

TIMES = {1: ("once",), 2: ("twice", "two times"), 3: ("three times",), 4: ("four times",)}

# (who, does, doing) per kind: "a dog" "barks" / "a dog" "barking".
PHRASES: dict[str, tuple[tuple[str, ...], tuple[tuple[str, str], ...]]] = {
    "dog": (("a dog", "a small dog", "some dog"), (("barks", "barking"), ("yaps", "yapping"), ("woofs", "woofing"))),
    "bell": (
        ("a bell", "a church bell", "a large bell"),
        (("rings", "ringing"), ("tolls", "tolling"), ("chimes", "chiming")),
    ),
    "knock": (
        ("someone", "a person", "a visitor"),
        (
            ("knocks on a door", "knocking on a door"),
            ("knocks on wood", "knocking on wood"),
            ("raps on a door", "rapping on a door"),
        ),
    ),
    "bird": (
        ("a bird", "a small bird", "a songbird"),
        (("chirps", "chirping"), ("tweets", "tweeting"), ("sings", "singing")),
    ),
    "horn": (
        ("a car horn", "a vehicle horn", "a horn"),
        (("honks", "honking"), ("beeps", "beeping"), ("blares", "blaring")),
    ),
    "whistle": (
        ("someone", "a man", "a person"),
        (("whistles", "whistling"), ("gives a rising whistle", "giving a rising whistle")),
    ),
    "phone": (("a phone", "a telephone", "an old telephone"), (("rings", "ringing"), ("trills", "trilling"))),
    "baby": (("a baby", "an infant", "a small child"), (("cries", "crying"), ("wails", "wailing"))),
    "clock": (("a clock", "an old clock", "a watch"), (("ticks", "ticking"), ("is ticking", "ticking away"))),
    "engine": (
        ("an engine", "a motor", "a truck engine"),
        (("hums", "humming"), ("idles", "idling"), ("runs", "running")),
    ),
    "helicopter": (("a helicopter", "a chopper"), (("flies", "flying"), ("hovers overhead", "hovering overhead"))),
    "rain": (
        ("rain", "heavy rain", "steady rain"),
        (("falls", "falling"), ("is falling", "falling"), ("pours down", "pouring down")),
    ),
    "waves": (
        ("waves", "sea waves", "ocean waves"),
        (("roll in", "rolling in"), ("break on the shore", "breaking on the shore")),
    ),
    "siren": (("a siren", "an ambulance siren", "a police siren"), (("wails", "wailing"), ("sounds", "sounding"))),
    "crickets": (("crickets", "insects", "some crickets"), (("chirp", "chirping"), ("are chirping", "chirping away"))),
    "fire": (
        ("a fire", "a campfire", "a wood fire"),
        (("crackles", "crackling"), ("burns and crackles", "burning and crackling")),
    ),
}

TWO = (
    "{0}, then {1}",
    "{0} and then {1}",
    "{0}, followed by {1g}",
    "first {0}, then {1}",
    "{0g} before {1g}",
    "{1g} after {0g}",
)
THREE = (
    "{0}, then {1}, and finally {2}",
    "{0}, {1}, and then {2}",
    "first {0}, then {1}, then {2}",
    "{0g} followed by {1g} and then {2g}",
)


def describe(rng: np.random.Generator, scene: Scene) -> str:
    """A caption of the scene, events in their order, in one of many wordings."""
    plain, gerund = zip(*(_event_words(rng, event) for event in scene), strict=True)
    if len(scene) == 1:
        text = str(rng.choice((plain[0], gerund[0], f"the sound of {gerund[0]}")))
    else:
        template = str(rng.choice(TWO if len(scene) == 2 else THREE))
        for number in range(len(scene)):
            template = template.replace(f"{{{number}}}", plain[number]).replace(f"{{{number}g}}", gerund[number])
        text = template
    return text[0].upper() + text[1:]


def _event_words(rng: np.random.Generator, event: Event) -> tuple[str, str]:
    subjects, verbs = PHRASES[event.kind]
    subject = str(rng.choice(subjects))
    does, doing = verbs[int(rng.integers(len(verbs)))]
    often = ""
    if KINDS[event.kind].countable and (event.count > 1 or rng.random() < 0.3):
        often = " " + str(rng.choice(TIMES[event.count]))
    return f"{subject} {does}{often}", f"{subject} {doing}{often}"


def random_scene(rng: np.random.Generator) -> Scene:
    """One to three different kinds of events, in an order, with counts from one to four."""
    n_events = int(rng.choice((1, 2, 3), p=(0.25, 0.45, 0.3)))
    kinds = rng.choice(list(KINDS), n_events, replace=False)
    return tuple(random_event(rng, str(kind), crowded=n_events == 3) for kind in kinds)


def random_event(rng: np.random.Generator, kind: str, *, crowded: bool = False) -> Event:
    """An event of the kind; in a crowded scene it occurs at most three times, so that clips stay short."""
    if not KINDS[kind].countable:
        return Event(kind)
    return Event(kind, int(rng.choice((1, 2, 3, 4), p=(0.4, 0.3, 0.3, 0.0) if crowded else (0.35, 0.3, 0.2, 0.15))))
