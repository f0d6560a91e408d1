"""Published claims run again, and judged by what was measured."""

from vaekit.studies.verdict import Claim, Ruling, verdict_table

__all__ = ["Claim", "Ruling", "verdict_table"]
