"""How the devices of an aquarium are listed by hand: one flow a kind, made from Home Assistant's entities."""
