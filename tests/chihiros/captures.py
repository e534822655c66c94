"""Notifications as real devices sent them; the project's vectors say where they are from."""

from typing import Final

from tests.chihiros.tool_modules import VECTOR_FILE, vector_tool

VECTORS: Final = vector_tool().load(VECTOR_FILE)
NOTIFICATIONS: Final = [
    bytes.fromhex(vector["hex"])
    for vector in VECTORS
    if vector["direction"] == "decode"
]
HOST_FRAMES: Final = [
    bytes.fromhex(vector["hex"])
    for vector in VECTORS
    if vector["direction"] == "encode"
    and vector["profile"] != "n/a"
    and vector["command"] != "frame.build"
]
STATUS: Final = bytes.fromhex("5b060a00010a01ffffffc8130220")
LIGHT: Final = bytes.fromhex(
    "5b15300001fe0510050500000000000c3200000000000510050500000501"
    "0a083b0a0900000a001e0c001e0d00000d013c00"
)
DOSER: Final = bytes.fromhex(
    "5b06300001fe041708001623000000000258040000000000000804010000"
    "000000000163030e310f22101300e13c07251800"
)
LIFETIME: Final = bytes.fromhex("5b010a00011e7657272e628454835e")
TODAY: Final = bytes.fromhex("5b010a00012202580804016300e17f")
LIGHT_FAN: Final = bytes.fromhex("5b1b1000010b025819000100000000004822")
COOLING_FAN: Final = bytes.fromhex("5b030b00012513d8098f010522")
HEATER: Final = bytes.fromhex("5b0f00000025010a0000010200")
HEATER_STATUS: Final = bytes.fromhex("5b000000000a0007ca00000f1b000900")
