"""Devices, their types and the site as the write-action API tells them (R-T46 to R-T48)."""

from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Any, Final

from homeassistant.core import HomeAssistant
from homeassistant.helpers import (
    device_registry as dr,
    instance_id,
    label_registry as lr,
)
from homeassistant.helpers.translation import async_get_translations

from ..const import DOMAIN
from ..data import DATA_ENGINE
from ..devices.device import DeviceKind
from ..devices.dosing_fields import allowed_field
from ..devices.lamp import MIX
from ..engine.state import DeviceState
from ..hardware import device_uuid
from ..store import devices as device_rows
from ..store.devices import DeviceRow
from .device_fields import SingleField, name_behind, single_fields

ALLOWED: Final = allowed_field(0).removesuffix("0")
KINDS: Final = "device_kind"
MEANINGS: Final = "field_meaning"

type Texts = Mapping[str, str]


class DeviceStatus(StrEnum):
    """How a device can be reached (R-T46)."""

    CONNECTED = "CONNECTED"
    DISCONNECTED = "DISCONNECTED"
    NOT_AVAILABLE = "NOT_AVAILABLE"
    RETIRED = "RETIRED"


async def rows(hass: HomeAssistant, sees: Callable[[int], bool]) -> list[DeviceRow]:
    """Return every device that the caller may see, those out of use too. Raises StoreError."""
    engine = hass.data[DATA_ENGINE]
    if engine.database is None:
        known = [device.row for device in engine.devices.values()]
    else:
        known = await engine.database.read(device_rows.load_all)
    return [row for row in known if sees(row.number)]


def type_of(row: DeviceRow) -> str:
    """Return the name of a device's type: no two devices need to take the same values."""
    return f"{row.kind}_{row.number}"


def status_of(hass: HomeAssistant, row: DeviceRow) -> DeviceStatus:
    """Return whether a device can be reached."""
    if row.retired_at is not None:
        return DeviceStatus.RETIRED
    device = hass.data[DATA_ENGINE].devices.get(row.number)
    if device is None or device.device is None:
        return DeviceStatus.NOT_AVAILABLE
    return DeviceStatus.CONNECTED if device.available else DeviceStatus.DISCONNECTED


async def site_id(hass: HomeAssistant) -> str:
    """Return the id of this house, the same for ever."""
    return device_uuid(f"site/{await instance_id.async_get(hass)}")


async def site_record(hass: HomeAssistant) -> dict[str, Any]:
    """Return the house: what the settings say of it, else what Home Assistant does (R-T48)."""
    settings = hass.data[DATA_ENGINE].live_settings.current
    return {
        "id": await site_id(hass),
        "name": settings.site_name or hass.config.location_name,
        "address": settings.site_address,
        "country": hass.config.country,
        "time_zone": hass.config.time_zone,
        "pdl_identifier": settings.pdl_identifier,
    }


def device_record(hass: HomeAssistant, row: DeviceRow, site: str) -> dict[str, Any]:
    """Return a device; its tags are the labels that it has in Home Assistant."""
    return {
        "device_id": row.uuid,
        "site_id": site,
        "device_type": type_of(row),
        "name": row.name,
        "status": status_of(hass, row).value,
        "tags": _labels(hass, row),
    }


def type_record(hass: HomeAssistant, row: DeviceRow, texts: Texts) -> dict[str, Any]:
    """Return the type of a device: what can be read and written (R-T47)."""
    device = hass.data[DATA_ENGINE].devices.get(row.number)
    fields = single_fields(device).values() if device is not None else ()
    kind = _text(texts, KINDS, row.kind)
    return {
        "name": type_of(row),
        "description": f"{kind}: {row.name}",
        "fields": [
            _field_record(hass, device, field, texts)
            for field in fields
            if device is not None
        ],
    }


async def texts_of(hass: HomeAssistant) -> Texts:
    """Return what explains kinds and fields, in the language of the house."""
    return await async_get_translations(
        hass, hass.config.language, "selector", {DOMAIN}
    )


def _field_record(
    hass: HomeAssistant, device: DeviceState, field: SingleField, texts: Texts
) -> dict[str, Any]:
    """Return a field."""
    described = field.description
    return {
        "name": field.name,
        "description": _explained(hass, device, field, texts),
        "data_type": described.data_type.value,
        "writable": described.writable,
        "unit": described.unit,
        "min": described.minimum,
        "max": described.maximum,
        "values": list(described.values),
    }


def _explained(
    hass: HomeAssistant, device: DeviceState, field: SingleField, texts: Texts
) -> str:
    """Return what a field is, in plain words; of an entity's field its name."""
    part = field.description.name
    name = name_behind(hass, device, field)
    if device.row.kind == DeviceKind.ENTITY and part == field.whole:
        return name or part
    shown: dict[str, str | int] = {}
    key = part
    if part.startswith(MIX):
        key, shown = "mix", {"channel": part.removeprefix(MIX)}
    elif part.startswith(ALLOWED):
        key, shown = "dosing_allowed", {"head": int(part.removeprefix(ALLOWED)) + 1}
    text = _text(texts, MEANINGS, key).format(**shown)
    return text if device.row.kind != DeviceKind.ENTITY else f"{name}: {text}"


def _text(texts: Texts, among: str, key: str) -> str:
    """Return what explains a word; the word itself where nothing does."""
    return texts.get(f"component.{DOMAIN}.selector.{among}.options.{key}", key)


def _labels(hass: HomeAssistant, row: DeviceRow) -> list[str]:
    """Return the names of a device's labels."""
    devices = dr.async_get(hass).async_get_devices(identifiers={(DOMAIN, row.uuid)})
    labels = lr.async_get(hass)
    found = (labels.async_get_label(one) for device in devices for one in device.labels)
    return sorted({label.name for label in found if label is not None})
