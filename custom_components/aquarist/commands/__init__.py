"""The command: the one record of a cause at one device."""
