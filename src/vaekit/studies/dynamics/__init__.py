"""Does the posterior variance first shrink and then grow? The dynamics of VAEs, measured."""

from vaekit.studies.dynamics.plan import planned
from vaekit.studies.dynamics.report import Written, report
from vaekit.studies.dynamics.study import Places, Task, missing, perform_all, results_in
from vaekit.studies.dynamics.tables import committed_tables

__all__ = [
    "Places",
    "Task",
    "Written",
    "committed_tables",
    "missing",
    "perform_all",
    "planned",
    "report",
    "results_in",
]
