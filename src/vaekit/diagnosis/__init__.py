"""What is wrong with a trained model: symptom, evidence, likely cause, remedy."""

from vaekit.diagnosis.checks import CHECKS
from vaekit.diagnosis.copying import Copying, copying
from vaekit.diagnosis.diagnose import Diagnosis, diagnose
from vaekit.diagnosis.failure_modes import failure_modes_page
from vaekit.diagnosis.finding import (
    Answer,
    Check,
    Finding,
    Healthy,
    NotApplicable,
    Remedy,
    Statistic,
)
from vaekit.diagnosis.opening import open_subject
from vaekit.diagnosis.page import Remedies, command_lines, write_diagnosis
from vaekit.diagnosis.proof import CASES, Case, Cell, prove, read_cells
from vaekit.diagnosis.proof_table import proof_table, verdict, write_proof
from vaekit.diagnosis.subject import Subject
from vaekit.diagnosis.two_sample import TwoSample, two_sample_test

__all__ = [
    "CASES",
    "CHECKS",
    "Answer",
    "Case",
    "Cell",
    "Check",
    "Copying",
    "Diagnosis",
    "Finding",
    "Healthy",
    "NotApplicable",
    "Remedies",
    "Remedy",
    "Statistic",
    "Subject",
    "TwoSample",
    "command_lines",
    "copying",
    "diagnose",
    "failure_modes_page",
    "open_subject",
    "proof_table",
    "prove",
    "read_cells",
    "two_sample_test",
    "verdict",
    "write_diagnosis",
    "write_proof",
]
