"""What the doctor looks at: a trained model, its data and its log, each thing worked out once.

Held-out examples are those of the validation split, and of the test split where there is none:
what is learned here changes the next recipe, which the test split is not for. Everything is of
the first examples of a split, at most so many that a diagnosis takes less than a minute.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Final, final

import torch
from jaxtyping import Float64
from torch import Tensor
from torch.distributions import Distribution

from vaekit.data import Dataset, Observation, Rows, Transform, present
from vaekit.distributions import from_noise, noise_size
from vaekit.evaluation import (
    EvaluationSpec,
    Moments,
    Task,
    UnitScale,
    posterior_moments,
    reconstruction,
    rows_within,
    sample_means,
    sample_quality,
    why_not_sampled,
)
from vaekit.models import Facts, Latents, Model, log_prob_per_value
from vaekit.numerics import generator_for
from vaekit.recipes import Recipe
from vaekit.training import Record

EXAMPLES: Final = 1000
"""Examples of each split that are encoded and decoded."""
NEIGHBOURS: Final = 20_000
"""Examples of each split that neighbours are looked for among."""
SAMPLES: Final = 500
QUALITY_SAMPLES: Final = 1000
DRAWS: Final = 4
PIECE: Final = 250


@final
@dataclass(frozen=True)
class Scores:
    """What the model says of some examples, each averaged over a few draws of z.

    Args:
        log_likelihood: E_q[log p(x | z)] in nats.
        swapped: The same with the z of another example.
        kl: KL of q(z | x) from the prior in nats, per layer and dimension; empty without density.
        codes: One draw of the top layer of z; empty without a density.
        prior_codes: A draw of its prior for each example; empty where there is no such thing.
    """

    log_likelihood: Float64[Tensor, " examples"]
    swapped: Float64[Tensor, " examples"]
    kl: tuple[Float64[Tensor, "examples _"], ...]
    codes: Float64[Tensor, "examples _"]
    prior_codes: Float64[Tensor, "examples _"]

    @property
    def bound(self) -> Float64[Tensor, " examples"]:
        """The ELBO of each example; its log-likelihood where there is no density."""
        return self.log_likelihood - sum(layer.sum(1) for layer in self.kl)


@final
class Subject:
    """A trained model and everything that is known of its making.

    Args:
        recipe: The resolved recipe.
        model: With the weights that are kept.
        dataset: What it was trained on.
        transform: How that is presented.
        log: Records of training; None where there is no log.
        is_finished: Whether training came to its end; None where nobody knows.
    """

    def __init__(
        self,
        recipe: Recipe,
        model: Model,
        dataset: Dataset,
        transform: Transform,
        log: Sequence[Record] | None = None,
        is_finished: bool | None = None,
    ) -> None:
        self.recipe, self.log, self.is_finished = recipe, log, is_finished
        self.model, self.transform = model.eval().cpu(), transform.cpu()
        self.dataset = dataset
        self.seed = recipe.evaluation.seed

    # -- what there is -------------------------------------------------------------------------

    @property
    def facts(self) -> Facts:
        return self.model.facts

    @property
    def held_out_split(self) -> str | None:
        """Name of the split that held-out examples are of."""
        return next((s for s in ("validation", "test") if s in self.dataset.splits), None)

    @property
    def has_prior(self) -> bool:
        """Whether examples can be made up."""
        return self.facts.has_density

    @property
    def is_image(self) -> bool:
        """Whether examples can be drawn as images."""
        schema = self.dataset.schema
        return schema.kind == "image" and schema.event_shape[0] in (1, 3)

    # -- examples ------------------------------------------------------------------------------

    @property
    def split(self) -> str:
        """Held-out examples where there are any, else those of training."""
        return self.held_out_split or "train"

    @cached_property
    def shown(self) -> Observation:
        """Held-out examples, as the model sees them."""
        return self._presented(self.split)

    @cached_property
    def shown_in_training(self) -> Observation:
        """Training examples, presented in the same way."""
        return self._presented("train")

    def rows(self, split: str, most: int = EXAMPLES) -> Rows:
        """The first examples of a split, as stored."""
        left, some = most, []
        for rows in self.dataset.split(split).blocks(4096):
            some.append(rows[:left])
            left -= len(some[-1])
            if left <= 0:
                break
        return Rows.join(some)

    def values(self, split: str, most: int = EXAMPLES) -> Float64[Tensor, "examples values"]:
        """Raw values scaled to [0, 1] where they have a range, an example a row."""
        return self.scale(self.rows(split, most).x).flatten(1)

    @cached_property
    def scale(self) -> UnitScale:
        """From raw values to [0, 1]."""
        return UnitScale(self.dataset.schema)

    # -- what the model makes of them ----------------------------------------------------------

    @cached_property
    def scores(self) -> Scores:
        """Of held-out examples."""
        return self._scored(self.shown)

    @cached_property
    def scores_in_training(self) -> Scores:
        """Of training examples."""
        return self._scored(self.shown_in_training)

    @cached_property
    @torch.no_grad()
    def encodings(self) -> Float64[Tensor, "examples features"]:
        """Everything the encoder says of each held-out example."""
        parts = [self.model.encode(piece) for piece in self._pieces(self.shown)]
        return torch.cat([torch.cat([p.flatten(1) for p in part], 1) for part in parts]).double()

    @cached_property
    def moments(self) -> list[Moments]:
        """Of q(z | x), per layer; empty where a layer has none in closed form."""
        return posterior_moments(self.model, self._pieces(self.shown))

    @cached_property
    @torch.no_grad()
    def reconstructions(self) -> Tensor:
        """Means of p(x | z) at the mean of q(z | x), in raw units; of held-out examples."""
        rows = self.rows(self.split)
        shown = self.transform.expected(rows)
        return self.transform.inverse(reconstruction(self.model, shown))

    @cached_property
    def samples(self) -> Tensor:
        """Means of p(x | z) for fresh z, in raw units."""
        source = generator_for(self.seed, "diagnosed samples")
        told = self._task.conditions(SAMPLES)
        return torch.cat(list(sample_means(self.model, self.transform, SAMPLES, source, told)))

    @property
    def why_no_sample_quality(self) -> str | None:
        """Why samples cannot be compared with data in features of a classifier."""
        return why_not_sampled(self._task)

    @cached_property
    def sample_quality(self) -> dict[str, Any]:
        """Recall, precision and class coverage of samples, beside those of training examples."""
        return sample_quality(self._task)

    @cached_property
    def _task(self) -> Task:
        """Held-out examples as the measures of evaluation take them."""
        spec = EvaluationSpec.model_validate(
            {
                "split": self.split,
                "examples": 2 * EXAMPLES,
                "sample_quality": QUALITY_SAMPLES,
                "seed": self.seed,
            }
        )
        return Task(self.model, self.dataset, self.transform, spec, "cpu", lambda *_: None)

    def _presented(self, split: str) -> Observation:
        blocks = present(self.dataset.split(split), self.transform, self.seed, "cpu", EXAMPLES)
        return Observation.join(list(blocks))

    def _pieces(self, observation: Observation) -> Iterator[Observation]:
        size = max(1, min(PIECE, rows_within(self.model, observation) // DRAWS))
        for start in range(0, len(observation), size):
            yield observation[start : start + size]

    @torch.no_grad()
    def _scored(self, observation: Observation) -> Scores:
        parts = [
            scored(self.model, piece, self.seed, number)
            for number, piece in enumerate(self._pieces(observation))
        ]
        layers = zip(*(part.kl for part in parts), strict=True)
        return replace(
            parts[0],
            log_likelihood=torch.cat([part.log_likelihood for part in parts]),
            swapped=torch.cat([part.swapped for part in parts]),
            kl=tuple(torch.cat(layer) for layer in layers),
            codes=torch.cat([part.codes for part in parts]),
            prior_codes=torch.cat([part.prior_codes for part in parts]),
        )


@torch.no_grad()
def scored(model: Model, observation: Observation, seed: int, block: int = 0) -> Scores:
    """Scores of a batch; the same seed and number of the block, the same draws."""
    source = generator_for(seed, "diagnosis", block)
    draws = DRAWS if model.facts.stochastic else 1
    found = model.infer(observation, draws, generator=source)
    others = model.decode(_of_another(found.z), observation.c)
    swapped = log_prob_per_value(others, observation).flatten(2).sum(-1)
    n, none = len(observation), torch.zeros(len(observation), 0, dtype=torch.float64)
    has_density = model.facts.has_density
    return Scores(
        log_likelihood=found.log_likelihood().double().mean(0),
        swapped=swapped.double().mean(0),
        kl=tuple(kl.double().mean(0).flatten(1) for kl in found.kl) if has_density else (),
        codes=found.z[0][0].double().reshape(n, -1) if has_density else none,
        prior_codes=_prior_draws(found.prior[0], n, source) if _is_drawn(model) else none,
    )


def _is_drawn(model: Model) -> bool:
    """Whether the top layer's prior is a density that codes can be compared with."""
    facts = model.facts
    return facts.has_density and facts.latent == "continuous" and not facts.latent_class


def _of_another(z: Latents) -> Latents:
    """Every example gets the whole code of the next one."""
    return tuple(layer.roll(1, dims=1) for layer in z)


def _prior_draws(prior: Distribution, n: int, source: torch.Generator) -> Float64[Tensor, "n _"]:
    """A draw for each example: of its own prior, where that depends on a condition."""
    noise = torch.randn(n, noise_size(prior), generator=source)
    return from_noise(prior, noise).double().reshape(n, -1)
