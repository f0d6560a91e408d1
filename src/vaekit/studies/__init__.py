"""Published claims run again, and judged by what was measured."""

from vaekit.studies.page import fill, filled
from vaekit.studies.verdict import Claim, Ruling, verdict_table

__all__ = ["Claim", "Ruling", "fill", "filled", "verdict_table"]
