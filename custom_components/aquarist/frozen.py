"""Frozen, slotted classes of keyword fields: the values that the rooms hand to each other.

A start makes some 180 of them. The standard library's decorator describes every field, and
writes and compiles eight methods for each class. Here the description and the initializer
wait for their first use, and the other methods are shared.
"""

from annotationlib import Format, get_annotations
from collections.abc import Callable
from dataclasses import MISSING, Field, FrozenInstanceError, dataclass, field
from operator import attrgetter
from typing import Any, ClassVar, Never, dataclass_transform, get_origin

_OF_THE_CLASS_AS_WRITTEN = {"__dict__", "__weakref__", "__annotations_cache__"}


@dataclass_transform(
    frozen_default=True, kw_only_default=True, field_specifiers=(field,)
)
def frozen[T](cls: type[T]) -> type[T]:
    """Make what ``dataclass(frozen=True, slots=True, kw_only=True)`` makes.

    Equal are objects of one class with equal fields. ``field`` takes ``default`` and
    ``default_factory``. Methods that the class has itself stay, ``__post_init__`` is called
    with the fields in place. Cannot be pickled.
    """
    inherited, own = _inherited_fields(cls), _own_fields(cls)
    fields = inherited | own
    left_out = _OF_THE_CLASS_AS_WRITTEN | own.keys()
    members = {
        name: member for name, member in cls.__dict__.items() if name not in left_out
    }
    for name, method in _UNLESS_IT_HAS_ITS_OWN.items():
        if members.get(name) is None:
            members[name] = method
    members |= _ALWAYS | {
        "__slots__": tuple(name for name in own if name not in inherited),
        "__frozen_fields__": fields,
        "__frozen_content__": attrgetter("__class__", *fields),
    }
    metaclass: Any = type(cls)
    made = metaclass(cls.__name__, cls.__bases__, members)
    made.__qualname__ = cls.__qualname__
    _let_super_know(made, cls)
    return made  # type: ignore[no-any-return]


def _own_fields(cls: type) -> dict[str, Any]:
    """Return what a class adds: each field with its default, or MISSING."""
    hints = get_annotations(cls, format=Format.FORWARDREF)
    return {
        name: cls.__dict__.get(name, MISSING)
        for name, hint in hints.items()
        if hint is not ClassVar and get_origin(hint) is not ClassVar
    }


def _inherited_fields(cls: type) -> dict[str, Any]:
    """Return the fields of the bases of a class, those of the first base last."""
    found: dict[str, Any] = {}
    for base in reversed(cls.__mro__[1:]):
        found |= base.__dict__.get("__frozen_fields__", {})
    return found


def _let_super_know(made: type, cls: type) -> None:
    """Let methods that call ``super()`` find the class that was made of the written one."""
    for member in made.__dict__.values():
        for cell in getattr(member, "__closure__", None) or ():
            if cell.cell_contents is cls:
                cell.cell_contents = made


class _DescribedLate:
    """The description that ``fields``, ``replace`` and ``asdict`` read, made for the first."""

    def __get__(self, _: object, cls: Any) -> dict[str, Field[Any]]:
        """Let the standard library describe the fields, and keep that."""
        known = cls.__frozen_fields__
        members = {name: one for name, one in known.items() if one is not MISSING}
        members["__annotations__"] = dict.fromkeys(known, Any)
        plain: Any = dataclass(init=False, repr=False, eq=False)(type("", (), members))
        described: dict[str, Field[Any]] = plain.__dataclass_fields__
        cls.__dataclass_fields__ = described
        return described


def _initialized_first(self: Any, *positions: object, **given: object) -> None:
    """Give the class of the first object of its kind an initializer, and use it."""
    cls: Any = next(
        one for one in type(self).__mro__ if "__frozen_fields__" in one.__dict__
    )
    cls.__init__ = _initializer(cls)
    cls.__init__(self, *positions, **given)


def _initializer(cls: Any) -> Callable[..., None]:
    """Compile the initializer of a class: compiled, for values are made all the time."""
    known: dict[str, Any] = {"_keep": object.__setattr__, "_MISSING": MISSING}
    parameters: list[str] = []
    body: list[str] = []
    for name, default in cls.__frozen_fields__.items():
        parameter = content = name
        if isinstance(default, Field) and default.default is MISSING:
            known[f"_make_{name}"] = default.default_factory
            parameter = f"{name}=_MISSING"
            content = f"_make_{name}() if {name} is _MISSING else {name}"
        elif default is not MISSING:
            known[f"_default_{name}"] = (
                default.default if isinstance(default, Field) else default
            )
            parameter = f"{name}=_default_{name}"
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


def _equal(self: Any, other: Any) -> bool:
    """Compare class and fields."""
    if other.__class__ is not self.__class__:
        return NotImplemented  # type: ignore[no-any-return]
    return bool(self.__frozen_content__(self) == self.__frozen_content__(other))


def _hashed(self: Any) -> int:
    """Hash class and fields."""
    return hash(self.__frozen_content__(self))


def _described(self: Any) -> str:
    """Name the class and its fields."""
    content = ", ".join(
        f"{name}={getattr(self, name)!r}" for name in self.__frozen_fields__
    )
    return f"{type(self).__qualname__}({content})"


_ALWAYS = {
    "__init__": _initialized_first,
    "__setattr__": _refuse,
    "__delattr__": _refuse,
    "__dataclass_fields__": _DescribedLate(),
}
_UNLESS_IT_HAS_ITS_OWN = {
    "__eq__": _equal,
    "__hash__": _hashed,
    "__repr__": _described,
}
