"""Home Assistant's services, called on behalf of somebody, and whom such a call is for."""

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from homeassistant.core import Context, HomeAssistant, SupportsResponse
from homeassistant.exceptions import (
    ServiceNotFound,
    ServiceValidationError,
    Unauthorized,
)
from homeassistant.helpers.target import (
    TargetSelection,
    async_extract_referenced_entity_ids,
)
import probatio as vol

from ..frozen import frozen
from .entity_adapter import ServiceCall
from .references import backing_entities

type Target = Mapping[str, Sequence[str]]


class CallFailed(Exception):
    """A call that did not come to its end well.

    ``code`` is `call_not_found`, `call_refused`, `call_not_allowed`,
    `call_failed` or `call_timed_out`; ``reason`` is what is said of it.
    """

    def __init__(self, code: str, reason: str) -> None:
        """Keep both."""
        super().__init__(f"{code}: {reason}")
        self.code = code
        self.reason = reason


@frozen
class Concerned:
    """The entities that a call is for: named by themselves, or by where they belong."""

    named: frozenset[str]
    belonging: frozenset[str]

    def of(self, call: ServiceCall) -> frozenset[str]:
        """Return those that the call reaches: of what it was not told, only its own kind."""
        return self.named | {
            entity_id
            for entity_id in self.belonging
            if call.domain in (entity_id.partition(".")[0], "homeassistant")
        }


class HomeServices:
    """What Aquarist asks of Home Assistant besides its devices."""

    def __init__(self, hass: HomeAssistant, uuid_of: Callable[[str], str]) -> None:
        """Call nothing yet; `uuid_of` gives the UUID of a device by its subentry's id."""
        self._hass = hass
        self._uuid_of = uuid_of

    def backing(self) -> Mapping[str, str]:
        """Return the UUID of the device that each entity is behind, loaded or not."""
        return {
            entity_id: self._uuid_of(subentry_id)
            for subentry_id, entity_id in backing_entities(self._hass)
        }

    def concerned(self, target: Target) -> Concerned:
        """Return the entities of a target, by what belongs where now."""
        found = async_extract_referenced_entity_ids(
            self._hass, TargetSelection({name: [*ids] for name, ids in target.items()})
        )
        return Concerned(
            named=frozenset(found.referenced),
            belonging=frozenset(found.indirectly_referenced),
        )

    async def call(
        self,
        call: ServiceCall,
        target: Target,
        *,
        timeout: float,
        user: str | None,
        parent: str | None,
    ) -> Mapping[str, Any] | None:
        """Call a service, wait for its end, and return what it answers. Raises CallFailed.

        It is called in the name of the user, as a part of what has the ``parent`` context.
        """
        services = self._hass.services
        if not services.has_service(call.domain, call.service):
            raise CallFailed("call_not_found", str(call))
        answers = services.supports_response(call.domain, call.service)
        try:
            async with asyncio.timeout(timeout):
                return await services.async_call(
                    call.domain,
                    call.service,
                    dict(call.data),
                    blocking=True,
                    context=Context(user_id=user, parent_id=parent),
                    target={name: [*ids] for name, ids in target.items()},
                    return_response=answers is SupportsResponse.ONLY,
                )
        except ServiceNotFound as error:
            raise CallFailed("call_not_found", str(error)) from error
        except Unauthorized as error:
            raise CallFailed("call_not_allowed", str(call)) from error
        except (ServiceValidationError, vol.Invalid) as error:
            raise CallFailed("call_refused", str(error)) from error
        except TimeoutError as error:
            raise CallFailed("call_timed_out", f"{timeout:g} s") from error
        except Exception as error:
            # Integrations let errors of their libraries through.
            reason = str(error) or type(error).__name__
            raise CallFailed("call_failed", reason) from error


def mentioned(data: object, entity_ids: Iterable[str]) -> str | None:
    """Return the first of some entities that the data of a call speaks of."""
    match data:
        case str():
            return data if data in entity_ids else None
        case Mapping():
            parts: Iterable[object] = (*data.keys(), *data.values())
        case list() | tuple():
            parts = data
        case _:
            return None
    return next((one for part in parts if (one := mentioned(part, entity_ids))), None)
