"""What goes along with a setting, as one part of it."""

from custom_components.aquarist.devices.beside import (
    beside,
    besides,
    readable,
    with_beside,
)


def test_it_is_a_part_of_the_setting() -> None:
    """In and out; where there is nothing, nothing is added."""
    kept = {"effect": "storm", "hs_color": [240.0, 80.0]}
    setting = with_beside({"level": 50}, beside(kept))
    assert setting.keys() == {"level", "beside"}
    assert besides(setting) == kept
    assert beside({}) is None
    assert with_beside({"level": 50}, None) == {"level": 50}
    assert besides({"level": 50}) == {}


def test_people_read_it_part_by_part() -> None:
    """Of a lamp with the channel that it belongs to."""
    plain = with_beside({"level": 50}, beside({"effect": "storm"}))
    assert readable(plain) == "level 50, effect storm"
    lamp = with_beside({"level": 50}, beside({"blue": {"effect": "storm"}}))
    assert readable(lamp) == "level 50, blue effect storm"
