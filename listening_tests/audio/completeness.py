"""Whether a sound file is whole. FFmpeg plays what is there of a file that was cut off; these checks tell."""

import struct

# Less than any ear or model misses, more than encoders disagree about.
TOLERANCE_S = 0.05
# Written where the length was not known while the file was made.
_UNKNOWN_LENGTH = 0x7FFF0000


def missing_part(content: bytes, ending: str, decoded_s: float, declared_s: float | None) -> str:
    """What is missing, as a clause for people; empty where the file is whole or does not tell."""
    if ending == ".wav":
        count = wav_bytes_missing(content)
        return f"its last {count:,} bytes are missing" if count else ""
    if ending == ".mp3" and not mp3_declares_length(content):
        return ""  # Its length is FFmpeg's guess.
    if declared_s is not None and decoded_s < declared_s - TOLERANCE_S:
        return f"it says that it lasts {declared_s:.2f} s, but ends after {decoded_s:.2f} s"
    return ""


def wav_bytes_missing(content: bytes) -> int:
    """How many bytes of the data chunk lie behind the end of a RIFF file (0 where the length is not declared)."""
    if content[:4] != b"RIFF":
        return 0  # RF64 keeps its lengths elsewhere.
    position = 12
    while position + 8 <= len(content):
        kind, size = struct.unpack_from("<4sI", content, position)
        if kind == b"data":
            return 0 if size >= _UNKNOWN_LENGTH else max(position + 8 + size - len(content), 0)
        position += 8 + size + size % 2
    return 0


def mp3_declares_length(content: bytes) -> bool:
    """Whether the first frame of an MP3 file holds the header that tells the number of frames."""
    position = 0
    if content[:3] == b"ID3" and len(content) >= 10:
        size = 0
        for byte in content[6:10]:
            size = size * 128 + (byte & 0x7F)
        position = 10 + size
    frame = content[position : position + 256]
    return b"Xing" in frame or b"Info" in frame
