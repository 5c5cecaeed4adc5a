"""What goes wrong with personas, for people."""


class PersonaError(Exception):
    """A persona cannot be read or made; the text says why and what to do."""
