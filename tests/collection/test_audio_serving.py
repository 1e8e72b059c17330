"""Clips over HTTP: whole and in parts, for their rater alone, under addresses and tags that tell nothing."""

import pytest
from django.test import Client

from listening_tests.byte_ranges import CHUNK_BYTES, RangeNotSatisfiable, range_read
from listening_tests.models import Assignment
from tests.collection.sitting import current_state, start_sitting
from tests.factories import make_clip, make_pair, make_test

pytestmark = pytest.mark.django_db

CONTENT = bytes(range(256)) * 600  # more than one chunk
SIZE = len(CONTENT)


@pytest.fixture
def test():
    test = make_test()
    clip = make_clip(content=CONTENT)
    clip.rendition.save("clip.flac", clip.rendition.file)
    make_pair(test, clip=clip)
    return test


@pytest.fixture
def url(client, test):
    start_sitting(client, test)
    return current_state(client, test)["next"]["audio"]


def body(response) -> bytes:
    return response.getvalue()


def test_it_works(client, url):
    response = client.get(url)
    assert response.status_code == 200
    assert SIZE > CHUNK_BYTES
    assert body(response) == CONTENT
    assert (
        dict(response.headers).items()
        >= {
            "Accept-Ranges": "bytes",
            "Content-Length": str(SIZE),
            "Content-Type": "audio/flac",
            "Cache-Control": "private, max-age=604800, immutable, no-transform",
        }.items()
    )


@pytest.mark.parametrize(
    ("header", "first", "last"),
    [
        ("bytes=0-0", 0, 0),
        ("bytes=0-1", 0, 1),
        ("bytes=100-70000", 100, 70_000),
        ("bytes=70000-", 70_000, SIZE - 1),
        ("bytes=0-", 0, SIZE - 1),
        ("bytes=-5", SIZE - 5, SIZE - 1),
        (f"bytes=-{SIZE + 9}", 0, SIZE - 1),
        (f"bytes=5-{SIZE + 9}", 5, SIZE - 1),
        (f"bytes={SIZE - 1}-", SIZE - 1, SIZE - 1),
        ("Bytes= 3-4 ", 3, 4),
    ],
)
def test_a_part(client, url, header, first, last):
    response = client.get(url, headers={"Range": header})
    assert response.status_code == 206
    assert response["Content-Range"] == f"bytes {first}-{last}/{SIZE}"
    assert response["Content-Length"] == str(last - first + 1)
    assert "Content-Encoding" not in response
    assert body(response) == CONTENT[first : last + 1]


@pytest.mark.parametrize("header", [f"bytes={SIZE}-", f"bytes={SIZE + 5}-{SIZE + 9}", "bytes=-0"])
def test_a_part_behind_the_end(client, url, header):
    response = client.get(url, headers={"Range": header})
    assert response.status_code == 416
    assert response["Content-Range"] == f"bytes */{SIZE}"
    assert response.content == b""


@pytest.mark.parametrize(
    "header",
    [
        "",
        "bytes",
        "bytes=",
        "bytes=-",
        "bytes=a-b",
        "bytes=5-4",
        "bytes=1-2,5-6",
        "items=0-1",
        "bytes=--1",
        "bytes=٣-٤",
    ],
)
def test_what_is_no_single_range_is_ignored(client, url, header):
    response = client.get(url, headers={"Range": header})
    assert response.status_code == 200
    assert body(response) == CONTENT


def test_a_range_longer_than_any_file(client, url):
    assert client.get(url, headers={"Range": f"bytes={'9' * 5000}-"}).status_code == 200


def test_head(client, url):
    response = client.head(url, headers={"Range": "bytes=0-9"})
    assert (response.status_code, response["Content-Length"], response.content) == (200, str(SIZE), b"")
    assert response["Accept-Ranges"] == "bytes"


def test_if_range(client, url):
    etag = client.get(url)["ETag"]
    same = client.get(url, headers={"Range": "bytes=0-9", "If-Range": etag})
    other = client.get(url, headers={"Range": "bytes=0-9", "If-Range": '"other"'})
    dated = client.get(url, headers={"Range": "bytes=0-9", "If-Range": "Wed, 21 Oct 2015 07:28:00 GMT"})
    assert [same.status_code, other.status_code, dated.status_code] == [206, 200, 200]


def test_what_the_browser_has_is_not_sent_again(client, url):
    response = client.get(url, headers={"If-None-Match": client.get(url)["ETag"]})
    assert (response.status_code, response.content) == (304, b"")


def test_it_is_never_compressed(client, url):
    response = client.get(url, headers={"Accept-Encoding": "gzip, br"})
    assert "Content-Encoding" not in response
    assert "no-transform" in response["Cache-Control"]
    assert body(response) == CONTENT


def test_the_tag_and_the_address_tell_nothing_of_the_clip(client, url, test):
    clip = test.pairs.get().clip
    response = client.get(url)
    told = url + "".join(f"{name}: {value}" for name, value in response.headers.items())
    for secret in (clip.sha256, clip.sha256[:8], str(clip.uuid), clip.uuid.hex, clip.name):
        assert secret not in told


def test_the_same_clip_looks_new_to_another_rater(client, url, test):
    other = Client()
    start_sitting(other, test)
    other_url = current_state(other, test)["next"]["audio"]
    assert other_url != url
    assert other.get(other_url)["ETag"] != client.get(url)["ETag"]


def test_nobody_else_hears_it(client, url, test):
    stranger = Client()
    assert stranger.get(url).status_code == 404
    start_sitting(stranger, test)
    assert stranger.get(url).status_code == 404


def test_not_below_another_tests_address(client, url, test):
    make_test(slug="another")
    assert client.get(url.replace(test.slug, "another")).status_code == 404


def test_a_missing_file_is_not_found(client, url, caplog):
    clip = Assignment.objects.get().pair.clip
    clip.rendition.storage.delete(clip.rendition.name)
    assert client.get(url).status_code == 404
    assert "is missing" in caplog.text


def test_an_empty_file_has_no_range():
    with pytest.raises(RangeNotSatisfiable):
        range_read("bytes=0-", size=0)
