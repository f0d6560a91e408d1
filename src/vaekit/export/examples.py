"""A few held-out examples for whoever looks at the model, where the data is public."""

from typing import Final

from vaekit.artifacts import Examples
from vaekit.data import DATA_SETS, Dataset
from vaekit.export.artifact import Artifact
from vaekit.export.reference import reference_split

MOST_EXAMPLES: Final = 500


def held_out_examples(artifact: Artifact, dataset: Dataset, kind: str) -> Examples | None:
    """The first held-out examples; None where the data is not one that vaekit fetches itself.

    Your own data never travels in an artifact.
    """
    if kind not in DATA_SETS:
        return None
    split = dataset.split(reference_split(dataset))
    rows = split.rows(0, min(len(split), MOST_EXAMPLES))
    labels = None if rows.labels is None else rows.labels.cpu().numpy()
    return Examples(rows.x.cpu().numpy(), labels, artifact.conditions_of(rows))
