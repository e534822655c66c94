"""Words and keys that more than one room needs."""

from typing import Final

DOMAIN: Final = "aquarist"
MANUFACTURER: Final = "Chihiros"

CONF_AQUARIUM: Final = "aquarium"
CONF_BUDGET_ML: Final = "budget_ml"
CONF_CHANNEL: Final = "channel"
CONF_CHANNELS: Final = "channels"
CONF_DEMO: Final = "demo"
CONF_ENABLED: Final = "enabled"
CONF_FAMILY: Final = "family"
CONF_FIELDS: Final = "fields"
CONF_FLOW_ML_PER_MINUTE: Final = "flow_ml_per_minute"
CONF_HEADS: Final = "heads"
CONF_IDLE_HOLD: Final = "idle_hold"
CONF_KIND: Final = "kind"
CONF_LOCAL_NAME: Final = "local_name"
CONF_MAXIMUM: Final = "maximum"
CONF_MAXIMUM_DOSE_ML: Final = "maximum_dose_ml"
CONF_MAXIMUM_LEVEL: Final = "maximum_level"
CONF_MAXIMUM_ON_MINUTES: Final = "maximum_on_minutes"
CONF_MINIMUM: Final = "minimum"
CONF_SAFE_LEVEL: Final = "safe_level"
CONF_SLEW: Final = "slew"

KIND_AQUARIUM: Final = "aquarium"
KIND_CHIHIROS: Final = "chihiros"

SUBENTRY_DOSER: Final = "doser"
SUBENTRY_ENTITY: Final = "entity"
SUBENTRY_LIGHT: Final = "light"
SUBENTRY_PUMP: Final = "pump"

DEFAULT_BUDGET_ML: Final = 100.0
DEFAULT_IDLE_HOLD: Final = 30
