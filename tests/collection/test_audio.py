"""Decoding, measuring and rendering of sound files."""

import io

import numpy as np
import pyloudnorm
import pytest
import soundfile

from listening_tests.audio import AudioRefused, decode, measure, render
from tests.collection.sounds import FORMATS, empty_wav, encoded, noise, silent_video, tone


def rendered(samples: np.ndarray, rate: int) -> tuple[np.ndarray, int]:
    return soundfile.read(io.BytesIO(render(samples, rate).content), always_2d=True)


@pytest.mark.parametrize("kind", FORMATS)
def test_it_works(kind: str) -> None:
    decoded = decode(encoded(tone(1.5, level=0.5, channels=2), kind=kind), name=f"a.{kind}")
    assert decoded.ending == f".{kind}"
    assert decoded.channels == 2
    assert decoded.rate_hz == 48_000
    assert decoded.duration_s == pytest.approx(1.5, abs=0.001)
    assert np.sqrt(np.mean(decoded.samples**2)) == pytest.approx(0.354, rel=0.1)


def test_the_content_decides_and_not_the_name() -> None:
    assert decode(encoded(noise(), kind="flac"), name="a.mp3").ending == ".flac"


@pytest.mark.parametrize("subtype", ["PCM_U8", "PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE"])
def test_samples_of_every_kind_have_full_scale_one(subtype: str) -> None:
    samples = noise(0.5)
    decoded = decode(encoded(samples, subtype=subtype), name="a.wav")
    np.testing.assert_allclose(decoded.samples, samples, atol=0.01 if subtype == "PCM_U8" else 1e-4)


@pytest.mark.parametrize(("rate", "kept"), [(5_000, 48_000), (11_127, 48_000), (96_000, 48_000), (44_100, 44_100)])
@pytest.mark.parametrize("channels", [1, 2])
def test_odd_rates_are_rendered_at_one_that_browsers_play(rate: int, kept: int, channels: int) -> None:
    decoded = decode(encoded(noise(0.5, rate=rate, channels=channels), rate=rate), name="a.wav")
    samples, rendered_rate = rendered(decoded.samples, decoded.rate_hz)
    assert rendered_rate == kept
    assert samples.shape == (pytest.approx(kept / 2, abs=5), 2)


@pytest.mark.parametrize("channels", [3, 4, 6, 8])
def test_more_channels_are_mixed_down_to_stereo(channels: int) -> None:
    decoded = decode(encoded(noise(0.5, channels=channels)), name="a.wav")
    assert decoded.channels == channels
    assert decoded.samples.shape[1] == 2


def test_loudness_of_a_tone_is_what_the_standard_says() -> None:
    """997 Hz at -20 dBFS in one channel: -20 - 3.01 LUFS (BS.1770-4, annex 1), in two channels 3.01 more."""
    assert measure(tone(2, level=0.1), 48_000).lufs == pytest.approx(-23.01, abs=0.1)
    assert measure(tone(2, level=0.1, channels=2), 48_000).lufs == pytest.approx(-20.0, abs=0.1)


def test_true_peak_lies_between_samples() -> None:
    """At a quarter of the rate and 45 degrees, every sample of a sine is sqrt(1/2) of its peak."""
    samples = np.sin(np.pi / 2 * np.arange(48_000) + np.pi / 4).astype(np.float32)[:, None] / 2
    loudness = measure(samples, 48_000)
    assert loudness.peak_dbfs == pytest.approx(-9.03, abs=0.01)
    assert loudness.true_peak_dbtp == pytest.approx(-6.02, abs=0.3)


@pytest.mark.parametrize("level", [0.001, 0.02, 0.3])
def test_renditions_have_one_loudness(level: float) -> None:
    samples, rate = rendered(noise(2, level=level), 48_000)
    assert pyloudnorm.Meter(rate).integrated_loudness(samples) == pytest.approx(-23, abs=0.05)


def test_a_clip_that_passes_the_gate_only_when_loud_has_the_same_loudness() -> None:
    quiet_end = np.concatenate([noise(1, level=0.5), noise(3, level=0.0012)])
    samples, rate = rendered(quiet_end, 48_000)
    assert pyloudnorm.Meter(rate).integrated_loudness(samples) == pytest.approx(-23, abs=0.05)


def test_a_short_clip_is_brought_to_the_rms_level() -> None:
    """A tone of 0.1 on both channels has -20 dB, summed over them."""
    rendition = render(tone(0.2, level=0.1), 48_000)
    assert rendition.loudness.lufs is None
    assert rendition.gain_db == pytest.approx(-23 + 20, abs=0.01)


def test_mono_is_heard_on_both_channels_and_as_loud_as_stereo() -> None:
    mono, rate = rendered(noise(2), 48_000)
    assert np.array_equal(mono[:, 0], mono[:, 1])
    stereo, _ = rendered(noise(2, channels=2), 48_000)
    loudness = [pyloudnorm.Meter(rate).integrated_loudness(samples) for samples in (mono, stereo)]
    assert loudness == pytest.approx([-23, -23], abs=0.05)


def test_the_second_channel_of_a_mono_clip_costs_next_to_nothing() -> None:
    rendition = render(noise(2), 48_000)
    one_channel = encoded(rendered(noise(2), 48_000)[0][:, :1], kind="flac", subtype="PCM_16")
    assert len(rendition.content) < 1.01 * len(one_channel)


def test_the_true_peak_caps_the_gain() -> None:
    samples = noise(2, level=0.0005)
    samples[48_000] = 0.9
    rendition = render(samples, 48_000)
    assert rendition.gain_db == pytest.approx(-1 - rendition.loudness.true_peak_dbtp)
    assert np.abs(rendered(samples, 48_000)[0]).max() <= 10 ** (-1 / 20) + 1e-3


def test_silence_stays_silence() -> None:
    rendition = render(np.zeros((48_000, 1), np.float32), 48_000)
    assert rendition.loudness.is_silent
    assert rendition.gain_db == 0
    assert not rendered(np.zeros((48_000, 1), np.float32), 48_000)[0].any()


@pytest.mark.parametrize(("peak_dbfs", "is_silent"), [(-59.9, False), (-60.1, True)])
def test_silence_is_a_peak_below_60_db(peak_dbfs: float, is_silent: bool) -> None:
    samples = np.zeros((24_000, 1), np.float32)
    samples[100] = 10 ** (peak_dbfs / 20)
    assert measure(samples, 48_000).is_silent is is_silent


def test_the_same_clip_gives_the_same_file() -> None:
    assert render(noise(), 48_000).content == render(noise(), 48_000).content


@pytest.mark.parametrize("seconds", [0.1, 60.0])
def test_the_limits_themselves_are_taken(seconds: float) -> None:
    assert decode(encoded(noise(seconds, rate=8_000), rate=8_000), name="a.wav").duration_s == seconds


def refusal(content: bytes, name: str = "a.wav") -> str:
    with pytest.raises(AudioRefused) as refused:
        decode(content, name=name)
    return str(refused.value)


def test_too_short_and_too_long_are_refused() -> None:
    assert refusal(encoded(noise(0.05))) == "a.wav lasts 0.050 s. A clip lasts between 0.1 and 60 s."
    too_long = "a.flac lasts more than 60 s. A clip lasts between 0.1 and 60 s: cut it."
    assert refusal(encoded(noise(60.1, rate=8_000), rate=8_000, kind="flac"), "a.flac") == too_long


def test_hours_are_refused_before_they_are_decoded() -> None:
    hours = encoded(np.zeros((2 * 3600 * 8_000, 1), np.float32), rate=8_000, kind="flac")
    assert refusal(hours, "a.flac").startswith("a.flac lasts more than 60 s.")


@pytest.mark.parametrize("kind", FORMATS)
def test_a_file_that_was_cut_off_is_refused(kind: str) -> None:
    content = encoded(noise(2), kind=kind)
    message = refusal(content[: len(content) * 7 // 10], f"a.{kind}")
    assert message.startswith(f"a.{kind} is cut off: ") or message.endswith("or check that it is whole.")


def test_the_message_tells_what_is_missing() -> None:
    content = encoded(noise(1, rate=8_000), rate=8_000)
    assert refusal(content[:-1000]) == "a.wav is cut off: its last 1,000 bytes are missing. Copy or export it again."


def ogg_pages(content: bytes) -> list[bytes]:
    return [b"OggS" + page for page in content.split(b"OggS")[1:]]


def ogg(subtype: str = "VORBIS") -> bytes:
    content = encoded(noise(4, channels=2), kind="ogg", subtype=subtype)
    assert len(ogg_pages(content)) > 6
    return content


@pytest.mark.parametrize("subtype", ["VORBIS", "OPUS"])
def test_an_ogg_file_that_was_cut_between_two_pages_is_refused(subtype: str) -> None:
    message = refusal(b"".join(ogg_pages(ogg(subtype))[:5]), "a.ogg")
    assert message == "a.ogg is cut off: its last Ogg page does not end the stream. Copy or export it again."


def test_an_ogg_file_that_was_cut_within_a_page_is_refused() -> None:
    content = ogg()
    assert refusal(content[:-100], "a.ogg") == (
        "a.ogg is cut off: its last 100 bytes are missing. Copy or export it again."
    )


@pytest.mark.parametrize("subtype", ["VORBIS", "OPUS"])
def test_an_ogg_file_of_which_a_page_is_gone_is_refused(subtype: str) -> None:
    pages = ogg_pages(ogg(subtype))
    message = refusal(b"".join(pages[:4] + pages[5:]), "a.ogg")
    assert message == "a.ogg is damaged: a page is missing before its Ogg page 5. Copy or export it again."


def test_an_ogg_file_with_zeros_in_it_is_refused() -> None:
    content, pages = ogg(), ogg_pages(ogg())
    at = len(b"".join(pages[:4])) + 500
    message = refusal(content[:at] + bytes(2_000) + content[at + 2_000 :], "a.ogg")
    assert message == "a.ogg is damaged: its Ogg page 5 does not match its checksum. Copy or export it again."
    at = len(b"".join(pages[:4]))
    message = refusal(content[:at] + bytes(4) + content[at + 4 :], "a.ogg")
    assert message == "a.ogg is damaged: no page follows its Ogg page 4. Copy or export it again."


def test_a_damaged_ogg_file_is_not_told_to_be_silent() -> None:
    """All sound is zeroed, and so would be decoded as nothing or as silence."""
    pages = ogg_pages(ogg())
    content = b"".join(pages[:3] + [page[:300] + bytes(len(page) - 300) for page in pages[3:]])
    assert refusal(content, "a.ogg").startswith("a.ogg is damaged: ")


def test_what_follows_the_end_of_an_ogg_file_is_no_matter() -> None:
    assert decode(ogg() + bytes(300), name="a.ogg").duration_s == pytest.approx(4, abs=0.01)


def test_a_wav_of_undeclared_length_is_taken() -> None:
    content = encoded(noise(1, rate=8_000), rate=8_000)
    at = content.index(b"data") + 4
    streamed = content[:at] + b"\xff\xff\xff\xff" + content[at + 4 :]
    assert decode(streamed, name="a.wav").duration_s == 1


@pytest.mark.parametrize(
    "content",
    [
        b"hello" * 100,
        b"\0" * 1000,
        b"#EXTM3U\n#EXTINF:1,\n/etc/passwd\n",
        b"ffconcat version 1.0\nfile '/etc/passwd'\n",
    ],
)
def test_what_is_no_sound_is_refused(content: bytes) -> None:
    """Playlists above all: they would open the files that they name."""
    message = refusal(content)
    assert message.startswith("a.wav cannot be decoded as wav, flac, ogg, mp3 or m4a (")
    assert message.endswith("). Convert it, or check that it is whole.")


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_samples_that_are_not_numbers_are_refused(bad: float) -> None:
    samples = noise()
    samples[7] = bad
    message = "a.wav holds samples that are not numbers (NaN or infinite). Export it again."
    assert refusal(encoded(samples, subtype="FLOAT")) == message


def test_a_file_without_samples_is_refused() -> None:
    assert refusal(empty_wav()) == "a.wav holds no samples: its audio stream is empty. Export it again."


def test_a_file_without_sound_is_refused() -> None:
    message = "a.mp4 holds no sound. Take a file with an audio stream (wav, flac, ogg, mp3 or m4a)."
    assert refusal(silent_video(), "a.mp4") == message


@pytest.mark.parametrize("rate", [1_000, 384_000])
def test_rates_out_of_bounds_are_refused(rate: int) -> None:
    message = f"a.wav has a sample rate of {rate:,} Hz. Convert it to between 2,000 and 192,000 Hz."
    assert refusal(encoded(noise(0.5, rate=rate), rate=rate)) == message
