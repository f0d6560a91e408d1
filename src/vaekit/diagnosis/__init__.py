"""What is wrong with a trained model: symptom, evidence, likely cause, remedy."""

from vaekit.diagnosis.checks import CHECKS
from vaekit.diagnosis.copying import Copying, copying
from vaekit.diagnosis.diagnose import Diagnosis, diagnose
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
from vaekit.diagnosis.page import Remedies, write_diagnosis
from vaekit.diagnosis.subject import Subject
from vaekit.diagnosis.two_sample import TwoSample, two_sample_test

__all__ = [
    "CHECKS",
    "Answer",
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
    "copying",
    "diagnose",
    "open_subject",
    "two_sample_test",
    "write_diagnosis",
]
