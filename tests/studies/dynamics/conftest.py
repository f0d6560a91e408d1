"""Fixtures of the study."""

from studies.dynamics.small_cells import small

__all__ = ["small"]
