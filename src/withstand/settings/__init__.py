"""What the user wants: withstand.toml or pyproject.toml, then `WITHSTAND_*`, then flags.

`load_settings` finds, lays over one another, checks, and says every problem at once with its path.
"""

from withstand.settings.effective import Settings
from withstand.settings.load import load_settings
from withstand.settings.load_defaults import LoadSettings

__all__ = ["LoadSettings", "Settings", "load_settings"]
