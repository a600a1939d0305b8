"""What a user can set: the model with its defaults and meanings, how it is read, and the file that documents it."""

from sidecar.settings.document import documented_defaults
from sidecar.settings.load import load
from sidecar.settings.model import Backend, Settings

__all__ = ["Backend", "Settings", "documented_defaults", "load"]
