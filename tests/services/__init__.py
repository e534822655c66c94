"""The services, one group a file."""
