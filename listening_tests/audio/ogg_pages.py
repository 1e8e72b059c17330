"""The pages of an Ogg file (RFC 3533, section 6): all there, whole and in order. FFmpeg passes over what is not."""

import struct
import zlib

_HEADER = struct.Struct("<4sBBqII4sB")
_FIRST, _LAST = 0x02, 0x04
_MIRRORED = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))


def ogg_flaw(content: bytes) -> str:
    """What is wrong with the pages, as a predicate for people; empty where nothing is, or the file is no Ogg file.

    Every page must match its checksum and follow the one before it, and each stream must have its end mark: nothing
    else tells that a file was cut between two pages. What lies behind the end of all streams is no matter.
    """
    following: dict[int, int] = {}  # of each stream that has not ended, the number of its next page
    position, count = 0, 0
    while content.startswith(b"OggS", position):
        count += 1
        end = _end_of_page(content, position)
        if end > len(content):
            return f"is cut off: its last {end - len(content):,} bytes are missing"
        _, _, flags, _, stream, number, checksum, _ = _HEADER.unpack_from(content, position)
        if _checksum(content[position:end]) != checksum:
            return f"is damaged: its Ogg page {count:,} does not match its checksum"
        if not flags & _FIRST and following.get(stream) != number:
            return f"is damaged: a page is missing before its Ogg page {count:,}"
        following[stream] = (number + 1) % 2**32
        if flags & _LAST:
            del following[stream]
        position = end
    if following and position < len(content):
        return f"is damaged: no page follows its Ogg page {count:,}"
    return "is cut off: its last Ogg page does not end the stream" if following else ""


def _end_of_page(content: bytes, position: int) -> int:
    """Where the page ends, or as much of its header as tells so."""
    body = position + _HEADER.size
    if body > len(content):
        return body
    body += content[body - 1]
    return body + sum(content[position + _HEADER.size : body])


def _checksum(page: bytes) -> bytes:
    """The CRC of a page as it stands in its header, computed with that field zero.

    It has the polynomial of zlib's, but takes the bits of each byte from the other end, starts at 0 and is not
    inverted: mirrored bytes, and a start and an end that undo zlib's, give it mirrored.
    """
    blank = page[:22] + bytes(4) + page[26:]
    return (zlib.crc32(blank.translate(_MIRRORED), 0xFFFFFFFF) ^ 0xFFFFFFFF).to_bytes(4, "big").translate(_MIRRORED)
