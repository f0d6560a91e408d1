"""README.md."""

import math
from typing import Any

from vaekit.lesson import CARDS, CHOICE_QUESTIONS, kl_problems


def numbers() -> dict[str, Any]:
    """How much there is to practise with."""
    return {
        "cards": len(CARDS),
        "questions": len(CHOICE_QUESTIONS),
        "problems": len(kl_problems(0)),
        "bits_per_nat": f"{1 / math.log(2):.4f}",
    }
