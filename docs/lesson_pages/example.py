"""The example that all pages compute with."""

from typing import Final

from vaekit.lesson import Parameters, Setting

PARAMETERS: Final = Parameters()
SETTING: Final = Setting()
