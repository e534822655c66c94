"""One entity behind a device: followed, called, waited for."""

import asyncio

from homeassistant.core import Context, HomeAssistant
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError
from homeassistant.helpers import entity_registry as er
from homeassistant.setup import async_setup_component
import probatio as vol
import pytest
from pytest_homeassistant_custom_component.common import MockUser

from custom_components.aquarist.devices.backing_entity import BackingEntity, domain_of
from custom_components.aquarist.devices.entity_adapter import ServiceCall
from custom_components.aquarist.devices.errors import DeviceError
from custom_components.aquarist.devices.level_adapters import level_adapter

from .entities import FakeSwitch, add

ON = {"level": 100.0}
OFF = {"level": 0.0}


class Follower:
    """An entity that backs a device, and the contexts of its changes."""

    def __init__(
        self, hass: HomeAssistant, reference: str = "switch.pump", confirm: float = 0.05
    ) -> None:
        """Follow the entity."""
        self.contexts: list[Context | None] = []
        self.entity = BackingEntity(
            hass,
            reference,
            level_adapter(domain_of(hass, reference), "level"),
            self.contexts.append,
            confirm_time=confirm,
        )


@pytest.fixture
async def pump(hass: HomeAssistant) -> FakeSwitch:
    """Return a switch that is off."""
    switch = FakeSwitch("pump", unique_id="pump-1")
    await add(hass, "switch", switch)
    return switch


async def test_set_returns_once_the_entity_shows_the_value(
    hass: HomeAssistant, pump: FakeSwitch
) -> None:
    """The call comes with a context of its own, and the entity has arrived."""
    follower = Follower(hass)
    assert follower.entity.reading == OFF
    await follower.entity.set(ON)
    assert follower.entity.reading == ON
    assert pump.log == [{"on": True}]
    context = follower.contexts[-1]
    assert context is not None
    assert (context.user_id, context.parent_id) == (None, None)


async def test_value_that_comes_late_is_waited_for(
    hass: HomeAssistant, pump: FakeSwitch
) -> None:
    """A switch that reports after its call has ended is confirmed by its report."""
    pump.lies = True
    follower = Follower(hass, confirm=5)
    setting = asyncio.ensure_future(follower.entity.set(ON))
    while not pump.log:
        await asyncio.sleep(0)
    await hass.async_block_till_done()
    assert not setting.done()
    pump.show(is_on=True)
    await setting
    assert follower.entity.reading == ON


async def test_entity_that_lies_is_not_confirmed(
    hass: HomeAssistant, pump: FakeSwitch
) -> None:
    """A call that ends well without effect is an error (R-T11)."""
    pump.lies = True
    with pytest.raises(DeviceError) as error:
        await Follower(hass).entity.set(ON)
    assert error.value.code == "not_confirmed"
    assert error.value.transient
    assert error.value.placeholders == {
        "entity_id": "switch.pump",
        "wanted": "level=100.0",
        "shown": "off",
    }


async def test_call_that_takes_effect_and_then_fails_has_worked(
    hass: HomeAssistant, pump: FakeSwitch
) -> None:
    """It is seen to be where it was to go."""
    pump.fails_after = [HomeAssistantError("no answer from the bridge")]
    follower = Follower(hass)
    await follower.entity.set(ON)
    assert follower.entity.reading == ON


async def test_failing_call_for_what_was_shown_before_is_an_error(
    hass: HomeAssistant, pump: FakeSwitch
) -> None:
    """What a dead bridge shows may be old."""
    pump.fails = [HomeAssistantError("down")]
    with pytest.raises(DeviceError, match="service_failed"):
        await Follower(hass).entity.set(OFF)


async def test_refusal_is_final_whatever_is_shown(
    hass: HomeAssistant, pump: FakeSwitch
) -> None:
    """It was not this call that did it."""
    pump.fails_after = [ServiceValidationError("not for this model")]
    with pytest.raises(DeviceError, match="service_failed"):
        await Follower(hass).entity.set(ON)


@pytest.mark.parametrize(
    ("failure", "transient"),
    [
        (HomeAssistantError("bridge is down"), True),
        (ConnectionError("no route"), True),
        (TimeoutError(), True),
        (KeyError("bug of the integration"), True),
        (ServiceValidationError("not for this model"), False),
        (vol.Invalid("schema"), False),
    ],
)
async def test_failing_call_is_an_error_of_the_device(
    hass: HomeAssistant,
    pump: FakeSwitch,
    failure: Exception,
    transient: bool,
) -> None:
    """What may pass by itself is worth another try, what was refused is not (RES-73)."""
    pump.fails = [failure]
    with pytest.raises(DeviceError) as error:
        await Follower(hass).entity.set(ON)
    assert error.value.code == "service_failed"
    assert error.value.transient is transient
    assert error.value.placeholders["service"] == "switch.turn_on"
    assert error.value.placeholders["error"]
    assert error.value.__cause__ is failure


async def test_unknown_service_is_final(hass: HomeAssistant, pump: FakeSwitch) -> None:
    """Another try would not help."""
    with pytest.raises(DeviceError) as error:
        await Follower(hass).entity.call(ServiceCall(domain="nobody", service="home"))
    assert (error.value.code, error.value.transient) == ("service_failed", False)


async def test_missing_entity_is_an_error_until_it_is_loaded(
    hass: HomeAssistant,
) -> None:
    """An entity that comes later than we is taken up by itself (R-T54)."""
    follower = Follower(hass)
    assert follower.entity.reading is None
    assert follower.entity.field.name == "level"
    with pytest.raises(DeviceError) as error:
        await follower.entity.set(ON)
    assert (error.value.code, error.value.transient) == ("entity_missing", True)
    await add(hass, "switch", FakeSwitch("pump"))
    assert follower.contexts
    await follower.entity.set(ON)
    assert follower.entity.reading == ON


async def test_value_with_which_an_entity_comes_back_has_no_context(
    hass: HomeAssistant, hass_admin_user: MockUser
) -> None:
    """Home Assistant hands a user's context on for some seconds; nobody set that value."""
    user = Context(user_id=hass_admin_user.id)
    follower = Follower(hass)
    for state in ("on", "unavailable", "on", "unknown", "off"):
        hass.states.async_set("switch.pump", state, context=user)
        await hass.async_block_till_done()
    assert follower.contexts == [None, user, None, user, user]


async def test_unavailable_entity_is_an_error_and_has_no_reading(
    hass: HomeAssistant, pump: FakeSwitch
) -> None:
    """No call goes out to it, and the word never becomes a value (R-T55)."""
    follower = Follower(hass)
    pump.show(available=False)
    assert follower.entity.reading is None
    with pytest.raises(DeviceError) as error:
        await follower.entity.set(ON)
    assert (error.value.code, error.value.transient) == ("entity_unavailable", True)
    assert pump.log == []


async def test_unknown_state_is_no_reading_but_can_be_set(
    hass: HomeAssistant, pump: FakeSwitch
) -> None:
    """A switch that has never reported takes calls."""
    pump.show(is_on=None)
    follower = Follower(hass)
    assert follower.entity.reading is None
    await follower.entity.set(ON)
    assert follower.entity.reading == ON


async def test_entity_that_vanishes_in_the_wait_is_unavailable(
    hass: HomeAssistant, pump: FakeSwitch
) -> None:
    """The reason is told, rather than that nothing was confirmed."""
    pump.lies = True
    follower = Follower(hass)
    setting = asyncio.ensure_future(follower.entity.set(ON))
    while not pump.log:
        await asyncio.sleep(0)
    pump.show(available=False)
    with pytest.raises(DeviceError, match="entity_unavailable"):
        await setting


async def test_cancelled_call_ends(hass: HomeAssistant, pump: FakeSwitch) -> None:
    """A hung entity can be given up."""
    pump.hangs = asyncio.Event()
    follower = Follower(hass)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.02):
            await follower.entity.set(ON)
    assert follower.entity.reading == OFF


async def test_renamed_entity_is_followed(
    hass: HomeAssistant, pump: FakeSwitch
) -> None:
    """The registry's new id takes over; other changes of its entry do not matter."""
    follower = Follower(hass)
    registry = er.async_get(hass)
    registry.async_update_entity("switch.pump", icon="mdi:pump")
    registry.async_update_entity("switch.pump", new_entity_id="switch.return_pump")
    await hass.async_block_till_done()
    assert follower.entity.entity_id == "switch.return_pump"
    await follower.entity.set(ON)
    assert follower.entity.reading == ON


async def test_registry_id_finds_the_entity(
    hass: HomeAssistant, pump: FakeSwitch
) -> None:
    """A reference that survives renaming while nobody is looking."""
    entry = er.async_get(hass).async_get("switch.pump")
    assert entry is not None
    assert Follower(hass, entry.id).entity.entity_id == "switch.pump"


async def test_registry_id_that_is_gone_is_final(hass: HomeAssistant) -> None:
    """There is nothing to wait for."""
    with pytest.raises(DeviceError) as error:
        Follower(hass, "0123456789abcdef0123456789abcdef")
    assert (error.value.code, error.value.transient) == ("entity_missing", False)


async def test_closed_entity_is_followed_no_more(
    hass: HomeAssistant, pump: FakeSwitch
) -> None:
    """Changes pass unheard."""
    follower = Follower(hass)
    follower.entity.close()
    pump.show(is_on=True)
    await hass.async_block_till_done()
    assert follower.contexts == []


async def test_input_boolean_is_an_entity_like_any_other(
    hass: HomeAssistant, hass_admin_user: MockUser
) -> None:
    """A helper of Home Assistant, with a user's context in its change."""
    assert await async_setup_component(
        hass, "input_boolean", {"input_boolean": {"pump": {}}}
    )
    follower = Follower(hass, "input_boolean.pump")
    context = Context(user_id=hass_admin_user.id)
    await hass.services.async_call(
        "input_boolean",
        "turn_on",
        {"entity_id": "input_boolean.pump"},
        blocking=True,
        context=context,
    )
    assert follower.contexts == [context]
    assert follower.entity.reading == ON


async def test_what_goes_along_is_known_while_the_entity_is(
    hass: HomeAssistant,
) -> None:
    """A fan's preset; nothing of it while it is unknown or away."""
    follower = Follower(hass, "fan.breeze")
    presets = {"preset_mode": "auto", "preset_modes": ["auto"]}
    seen = [follower.entity.beside]
    for state in ("on", "unknown", "on", "unavailable"):
        hass.states.async_set("fan.breeze", state, presets)
        seen.append(follower.entity.beside)
    kept = '{"preset_mode": "auto"}'
    assert seen == [None, kept, None, kept, None]
