"""The report of a run: one HTML file that needs nothing else, to read, print and hand on."""

from vaekit.figures.report.content import DataCard, Picture, Report
from vaekit.figures.report.page import Embedded, embedded, report_page, report_style

__all__ = [
    "DataCard",
    "Embedded",
    "Picture",
    "Report",
    "embedded",
    "report_page",
    "report_style",
]
