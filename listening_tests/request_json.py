"""What a page sends as JSON: read, each field checked, and refused in words for whoever wrote the client."""

import json
from collections.abc import Mapping
from typing import Any

from django import forms

LONGEST_S = 10 * 365 * 24 * 3600
MOST_PLAYS = 100_000


class Malformed(Exception):
    """The body is not what it should be; the message says why, for the person who wrote the client."""


def json_object(body: bytes) -> dict[str, Any]:
    """Raises Malformed where it is no JSON; anything but an object is an empty one."""
    try:
        # As floats, for an integer may be too large to become one, and that is no fault of ours.
        data = json.loads(body, parse_int=float)
    except (ValueError, RecursionError) as error:
        raise Malformed("The rating is not JSON. Reload the page and rate again.") from error
    return data if isinstance(data, dict) else {}


def cleaned(form: forms.Form, noun: str) -> dict[str, Any]:
    if not form.is_valid():
        raise malformed(noun, {name: " ".join(map(str, errors)) for name, errors in form.errors.items()})
    return form.cleaned_data


def malformed(noun: str, faults: Mapping[str, str]) -> Malformed:
    told = "; ".join(f"{name}: {fault}" for name, fault in faults.items())
    return Malformed(f"The {noun} could not be read ({told}). Reload the page and try again.")


def strays(data: Mapping[str, Any], names: tuple[str, ...]) -> dict[str, str]:
    """What a form would read a number out of though it is none: a text or a truth value. A dash is none to it."""
    return {name: "-" for name in names if data.get(name) is not None and type(data[name]) is not float}
