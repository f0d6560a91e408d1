"""The report of a run: one HTML file that needs nothing else, to read, print and hand on."""

from vaekit.figures.report.content import DataCard, Picture, Report
from vaekit.figures.report.page import report_page

__all__ = ["DataCard", "Picture", "Report", "report_page"]
