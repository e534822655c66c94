"""Host frames: layout, message ids and both encoding profiles (protocol section 2)."""

from contextlib import suppress

from hypothesis import example, given, strategies as st
import pytest

from custom_components.aquarist.chihiros import frames
from custom_components.aquarist.chihiros.frames import (
    FIRST_MESSAGE_ID,
    FrameError,
    FrameFault,
    Group,
    MessageId,
    Profile,
)
from custom_components.aquarist.chihiros.ranges import OutOfRange

BYTES = st.integers(0, 255)
MESSAGE_IDS = st.builds(MessageId, BYTES, BYTES)
LEGAL = BYTES.filter(lambda value: value != 0x5A)
LEGAL_IDS = st.builds(MessageId, LEGAL, LEGAL)
PARAMETERS = st.binary(max_size=frames.MAX_PARAMETERS)


@pytest.mark.parametrize(
    ("current", "following"),
    [
        ((0, 0), (0, 1)),
        ((0, 1), (0, 2)),
        ((0, 89), (0, 91)),
        ((0, 90), (0, 91)),
        ((0, 91), (0, 92)),
        ((0, 255), (1, 0)),
        ((88, 255), (89, 0)),
        ((89, 89), (89, 91)),
        ((89, 255), (91, 0)),
        ((90, 7), (91, 0)),
        ((255, 89), (255, 91)),
        ((255, 255), (0, 1)),
    ],
)
def test_next_message_id(current: tuple[int, int], following: tuple[int, int]) -> None:
    """Ids count up, leave out 0x5A in either byte and wrap to (0, 1)."""
    assert frames.next_message_id(MessageId(*current)) == following


def test_message_ids_visit_every_legal_id_once() -> None:
    """A whole round from the first id meets each legal id but (0, 0)."""
    seen = []
    current = FIRST_MESSAGE_ID
    while True:
        seen.append(current)
        current = frames.next_message_id(current)
        if current == FIRST_MESSAGE_ID:
            break
    assert len(seen) == len(set(seen)) == 255 * 255 - 1
    assert all(0x5A not in one for one in seen)


@pytest.mark.parametrize(
    ("message_id", "field"),
    [
        ((256, 0), "message_id.high"),
        ((-1, 0), "message_id.high"),
        ((0, 256), "message_id.low"),
        ((0, True), "message_id.low"),
    ],
)
def test_message_id_parts_are_bytes(message_id: tuple[int, int], field: str) -> None:
    """A part that is no byte is refused by name, in counting and in building."""
    given_id = MessageId(*message_id)
    with pytest.raises(OutOfRange) as counting:
        frames.next_message_id(given_id)
    with pytest.raises(OutOfRange) as building:
        frames.build(Group.COMMON, 4, b"\x01", given_id, Profile.VERBATIM)
    assert counting.value.field == building.value.field == field


def test_layout() -> None:
    """Group, version, length, id, mode, parameters and checksum follow each other."""
    frame = frames.build(0xA5, 0x1B, b"\x01\x02", MessageId(3, 4), Profile.VERBATIM)
    body = bytes([1, 7, 3, 4, 0x1B, 1, 2])
    assert frame == bytes([0xA5]) + body + bytes([frames.checksum(body)])


def test_verbatim_leaves_0x5a_alone() -> None:
    """Id, parameters and checksum stay as they are."""
    frame = frames.build(
        0xA5, 0x1B, b"\x00\x5a", MessageId(0x5A, 0x5A), Profile.VERBATIM
    )
    assert frames.parse(frame) == frames.Frame(
        group=0xA5, mode=0x1B, parameters=b"\x00\x5a", message_id=MessageId(0x5A, 0x5A)
    )
    level_50 = frames.build(0x5A, 7, b"\x00\x32", MessageId(0, 105), Profile.VERBATIM)
    assert level_50[-1] == 0x5A


@pytest.mark.parametrize(
    ("given_id", "used_id"),
    [((0, 90), (0, 91)), ((90, 3), (91, 0)), ((0, 89), (0, 89))],
)
def test_legacy_moves_on_from_an_escaped_id(
    given_id: tuple[int, int], used_id: tuple[int, int]
) -> None:
    """An id with 0x5A becomes the next legal one."""
    frame = frames.build(0x5A, 4, b"\x01", MessageId(*given_id), Profile.LEGACY)
    assert frames.parse(frame).message_id == used_id


def test_legacy_replaces_parameters() -> None:
    """Each parameter 0x5A becomes 0x59."""
    frame = frames.build(0xA5, 4, b"\x5a\x10\x5a", MessageId(0, 1), Profile.LEGACY)
    assert frames.parse(frame).parameters == b"\x59\x10\x59"


def test_legacy_avoids_the_checksum() -> None:
    """A checksum of 0x5A moves the id on until it differs."""
    frame = frames.build(0x5A, 7, b"\x00\x32", MessageId(0, 105), Profile.LEGACY)
    assert frames.parse(frame).message_id == (0, 106)
    assert frame[-1] != 0x5A


def test_legacy_repeats_until_the_checksum_differs() -> None:
    """From (127, 255) the next id has the same checksum, so it moves twice."""
    parameter = 0x5A ^ frames.checksum(bytes([1, 6, 127, 255, 4]))
    frame = frames.build(
        0xA5, 4, bytes([parameter]), MessageId(127, 255), Profile.LEGACY
    )
    assert frames.parse(frame).message_id == (128, 1)


@given(
    group=st.sampled_from(Group),
    mode=BYTES,
    parameters=PARAMETERS,
    message_id=MESSAGE_IDS,
)
def test_verbatim_round_trip(
    group: Group, mode: int, parameters: bytes, message_id: MessageId
) -> None:
    """What is built verbatim is parsed to the same fields."""
    built = frames.build(group, mode, parameters, message_id, Profile.VERBATIM)
    assert len(built) == len(parameters) + 7
    assert frames.parse(built) == frames.Frame(
        group=group, mode=mode, parameters=parameters, message_id=message_id
    )


@given(
    group=st.sampled_from(Group),
    mode=BYTES,
    parameters=PARAMETERS,
    message_id=MESSAGE_IDS,
)
@example(group=Group.COMMON, mode=4, parameters=b"Z", message_id=MessageId(255, 255))
def test_legacy_round_trip(
    group: Group, mode: int, parameters: bytes, message_id: MessageId
) -> None:
    """Legacy frames hold no 0x5A in id, parameters and checksum, and nothing else changes."""
    built = frames.build(group, mode, parameters, message_id, Profile.LEGACY)
    parsed = frames.parse(built)
    assert 0x5A not in parsed.message_id
    assert parsed.parameters == parameters.replace(b"\x5a", b"\x59")
    assert built[-1] != 0x5A
    assert (parsed.group, parsed.mode) == (group, mode)


@given(data=st.binary(max_size=70))
def test_parse_refuses_garbage_cleanly(data: bytes) -> None:
    """Any bytes either parse and build back to themselves, or raise FrameError alone."""
    parsed = None
    with suppress(FrameError):
        parsed = frames.parse(data)
    if parsed is not None:
        fields = (parsed.group, parsed.mode, parsed.parameters, parsed.message_id)
        assert frames.build(*fields, Profile.VERBATIM) == data


GOOD = frames.build(0x5A, 4, b"\x01", FIRST_MESSAGE_ID, Profile.VERBATIM)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", FrameFault.TOO_SHORT),
        (GOOD[:6], FrameFault.TOO_SHORT),
        (b"\x5b" + GOOD[1:], FrameFault.WRONG_GROUP),
        (GOOD[:1] + b"\x02" + GOOD[2:], FrameFault.WRONG_VERSION),
        (GOOD[:-1], FrameFault.WRONG_LENGTH),
        (GOOD + b"\x00", FrameFault.WRONG_LENGTH),
        (GOOD[:-1] + b"\x00", FrameFault.WRONG_CHECKSUM),
    ],
)
def test_parse_says_what_is_wrong(data: bytes, reason: FrameFault) -> None:
    """Each fault has its own reason, in the attribute and in the text."""
    with pytest.raises(FrameError) as refusal:
        frames.parse(data)
    assert refusal.value.reason is reason
    assert str(refusal.value) == f"not a host frame: {reason}"


@given(position=st.integers(1, len(GOOD) - 1), flip=st.integers(1, 255))
def test_one_changed_byte_is_noticed(position: int, flip: int) -> None:
    """No single changed byte behind the group gets through."""
    broken = bytearray(GOOD)
    broken[position] ^= flip
    with pytest.raises(FrameError):
        frames.parse(bytes(broken))


@pytest.mark.parametrize(
    ("group", "mode", "parameters", "field"),
    [
        (0x5B, 4, b"", "group"),
        (True, 4, b"", "group"),
        (0x5A, 256, b"", "mode"),
        (0x5A, -1, b"", "mode"),
        (0x5A, 4, bytes(251), "len(parameters)"),
    ],
)
def test_build_refuses(group: int, mode: int, parameters: bytes, field: str) -> None:
    """What no frame can carry is refused by name."""
    with pytest.raises(OutOfRange) as refusal:
        frames.build(group, mode, parameters, FIRST_MESSAGE_ID, Profile.VERBATIM)
    assert refusal.value.field == field
