"""Faults by name: setting, counting, refusing nonsense."""

import pytest

from custom_components.aquarist.simulator.faults import (
    MEANINGS,
    FaultError,
    FaultName,
    Faults,
    Number,
)


@pytest.fixture
def heard() -> list[Number | str | None]:
    """Return what the callbacks of the faults were told."""
    return []


@pytest.fixture
def faults(heard: list[Number | str | None]) -> Faults:
    """Return faults of which one acts at once and one reacts to being set."""

    def react() -> None:
        heard.append("set")

    return Faults(
        at_once={FaultName.WRONG_CLOCK: heard.append},
        on_set={FaultName.OUT_OF_RANGE: react},
    )


def test_every_fault_is_documented() -> None:
    """The table of meanings is complete, and each says something."""
    assert set(MEANINGS) == set(FaultName)
    assert all(meaning.text for meaning in MEANINGS.values())


def test_a_fault_strikes_as_often_as_asked(faults: Faults) -> None:
    """Once by default, a number of times, or until it is cleared."""
    faults.set("refuse", times=2)
    assert [faults.take(FaultName.REFUSE) is not None for _ in range(3)] == [
        True,
        True,
        False,
    ]
    faults.set("refuse", times=None)
    assert all(faults.take(FaultName.REFUSE) for _ in range(20))
    faults.clear("refuse")
    assert faults.take(FaultName.REFUSE) is None


def test_looking_does_not_use_a_fault_up(faults: Faults) -> None:
    """Find leaves it as it is."""
    faults.set("mute")
    assert faults.find(FaultName.MUTE) is faults.find(FaultName.MUTE) is not None


def test_a_counting_fault_strikes_at_its_number_and_counts_anew(faults: Faults) -> None:
    """The answer is how much still fits before it strikes."""
    faults.set("drop_at_byte", value=10, times=2)
    assert faults.reach(FaultName.DROP_AT_BYTE, 8) is None
    assert faults.reach(FaultName.DROP_AT_BYTE, 8) == 2
    assert faults.reach(FaultName.DROP_AT_BYTE, 9) is None
    assert faults.reach(FaultName.DROP_AT_BYTE, 1) == 1
    assert faults.reach(FaultName.DROP_AT_BYTE, 100) is None


def test_what_acts_at_once_is_not_kept(
    faults: Faults, heard: list[Number | str | None]
) -> None:
    """A wrong clock is moved and done with."""
    faults.set("wrong_clock", value=-7.5)
    assert heard == [-7.5]
    assert faults.as_json() == {}


def test_setting_can_have_a_consequence(
    faults: Faults, heard: list[Number | str | None]
) -> None:
    """The fault is kept as well."""
    faults.set("out_of_range", times=None)
    assert heard == ["set"]
    assert faults.find(FaultName.OUT_OF_RANGE) is not None


def test_they_can_be_listed_and_all_be_cleared(faults: Faults) -> None:
    """The list is what a control port shows."""
    faults.set("mute", times=None)
    faults.set("lose_notification", value=0x22)
    assert faults.as_json() == {
        "mute": {"times": None, "value": None},
        "lose_notification": {"times": 1, "value": 34},
    }
    faults.clear()
    assert faults.as_json() == {}
    faults.clear("mute")


@pytest.mark.parametrize(
    ("arguments", "field"),
    [
        ({"name": "sabotage"}, "name"),
        ({"name": "mute", "times": 0}, "times"),
        ({"name": "mute", "times": True}, "times"),
        ({"name": "mute", "times": 1.5}, "times"),
        ({"name": "mute", "value": 1}, "value"),
        ({"name": "drop_at_byte"}, "value"),
        ({"name": "drop_at_byte", "value": -1}, "value"),
        ({"name": "drop_at_byte", "value": 1.5}, "value"),
        ({"name": "drop_before_write", "value": 0}, "value"),
        ({"name": "drop_in_dose", "value": 1.1}, "value"),
        ({"name": "drop_in_dose", "value": float("nan")}, "value"),
        ({"name": "lose_notification", "value": 256}, "value"),
        ({"name": "garbage", "value": "seed"}, "value"),
    ],
)
def test_nonsense_is_refused_and_nothing_is_set(
    faults: Faults, arguments: dict[str, object], field: str
) -> None:
    """The error names the field."""
    with pytest.raises(FaultError, match=field) as refused:
        faults.set(**arguments)  # type: ignore[arg-type]
    assert refused.value.field == field
    assert faults.as_json() == {}


def test_clearing_an_unknown_name_is_refused(faults: Faults) -> None:
    """A misspelt name is not taken for success."""
    with pytest.raises(FaultError, match="name"):
        faults.clear("mut")
