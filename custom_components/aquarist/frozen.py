"""Frozen, slotted classes of keyword fields: the values that the rooms hand to each other.

A start makes some 180 of them. The standard library's decorator writes and compiles eight
methods for each; here a class gets an initializer of its own and shares the rest, which
takes a third of the time and half of the memory.
"""

from collections.abc import Callable
from dataclasses import MISSING, FrozenInstanceError, dataclass, field, fields
from operator import attrgetter
from typing import Any, Never, dataclass_transform


@dataclass_transform(
    frozen_default=True, kw_only_default=True, field_specifiers=(field,)
)
def frozen[T](cls: type[T]) -> type[T]:
    """Make what ``dataclass(frozen=True, slots=True, kw_only=True)`` makes.

    Equal are objects of one class with equal fields. ``field`` takes ``default`` and
    ``default_factory``. Methods that the class has itself stay, ``__post_init__`` is called
    with the fields in place. Cannot be pickled.
    """
    made: Any = dataclass(init=False, repr=False, eq=False, slots=True, kw_only=True)(
        cls
    )
    content = attrgetter("__class__", *(one.name for one in fields(made)))

    def equal(self: object, other: object) -> bool:
        if other.__class__ is not self.__class__:
            return NotImplemented  # type: ignore[no-any-return]
        return bool(content(self) == content(other))

    def hashed(self: object) -> int:
        return hash(content(self))

    made.__init__ = _initializer(made)
    made.__setattr__ = made.__delattr__ = _refuse
    for name, method in (
        ("__eq__", equal),
        ("__hash__", hashed),
        ("__repr__", _described),
    ):
        if cls.__dict__.get(name) is None:
            setattr(made, name, method)
    return made  # type: ignore[no-any-return]


def _initializer(cls: Any) -> Callable[..., None]:
    """Compile the initializer of a class: compiled, for values are made all the time."""
    known: dict[str, Any] = {"_keep": object.__setattr__, "_MISSING": MISSING}
    parameters: list[str] = []
    body: list[str] = []
    for one in fields(cls):
        name = parameter = content = one.name
        if one.default is not MISSING:
            known[f"_default_{name}"] = one.default
            parameter = f"{name}=_default_{name}"
        elif one.default_factory is not MISSING:
            known[f"_make_{name}"] = one.default_factory
            parameter = f"{name}=_MISSING"
            content = f"_make_{name}() if {name} is _MISSING else {name}"
        parameters.append(parameter)
        body.append(f"    _keep(self, {name!r}, {content})")
    if hasattr(cls, "__post_init__"):
        body.append("    self.__post_init__()")
    head = ", *, " + ", ".join(parameters) if parameters else ""
    exec("\n".join([f"def __init__(self{head}):", *(body or ["    pass"])]), known)  # noqa: S102
    made: Callable[..., None] = known["__init__"]
    made.__qualname__ = f"{cls.__qualname__}.__init__"
    return made


def _refuse(_: object, name: str, *__: object) -> Never:
    """Let no field be set or deleted."""
    raise FrozenInstanceError(f"field {name!r} is frozen")


def _described(self: Any) -> str:
    """Name the class and its fields."""
    content = ", ".join(
        f"{one.name}={getattr(self, one.name)!r}" for one in fields(self)
    )
    return f"{type(self).__qualname__}({content})"
