"""What is exported: one module per verb, raw values in, the transform inside.

    encode   x [, c]                  -> z, and what q(z | x) is made of
    decode   z [, c]                  -> x
    score    x, noise [, c]           -> every score, and z
    sample   temperature, noise [, c] -> x

Noise is always an input, so that a graph is a function: the same inputs, the same numbers. Scores
are those of the samples that one call is given, reduced in float64; those of several calls add up
to those of all samples (`vaekit.runtime.Draws.each`).
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar, Final, Literal, TypeAlias, cast, final

import torch
from torch import Tensor, nn
from torch.distributions import Distribution, Independent

from vaekit.artifacts import Serving
from vaekit.data import Observation, Rows, Transform
from vaekit.distributions import Flow, OneHot, moments
from vaekit.models import Model
from vaekit.runtime import TEMPERATURE, noise_input

OpenSize: TypeAlias = Literal["examples", "samples"]
"""What is counted by a dimension that a caller chooses."""
EXAMPLES: Final = 3
SAMPLES: Final = 2
"""Sizes to trace with: an export takes a size of 0 or 1 for a special case."""
C: Final = "c"


class Graph(nn.Module, ABC):
    """One verb of a model, from arrays to arrays.

    Args:
        model: In evaluation mode.
        transform: Fitted.
        serving: What both look like from outside.
    """

    name: ClassVar[str]

    def __init__(self, model: Model, transform: Transform, serving: Serving) -> None:
        super().__init__()
        self.model, self.transform, self.serving = model, transform, serving
        self.names = tuple(self.examples())

    @abstractmethod
    def examples(self) -> dict[str, Tensor]:
        """Inputs to trace with, by name."""

    @abstractmethod
    def answer(self, given: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Outputs by name, for inputs by name."""

    def open_size(self, name: str) -> OpenSize | None:
        """What the first dimension of an input counts; None where it has none."""
        return None if name == TEMPERATURE else "examples"

    def forward(self, *inputs: Tensor) -> dict[str, Tensor]:
        return self.answer(dict(zip(self.names, inputs, strict=True)))

    def _raw_examples(self) -> dict[str, Tensor]:
        form = self.serving.form
        dtype, low = getattr(torch, form.dtype), int(form.low or 0)
        return {"x": torch.full((EXAMPLES, *form.event_shape), low, dtype=dtype)}

    def _conditions(self, is_shown: bool) -> dict[str, Tensor]:
        """c, but where examples are shown to a model that finds out for itself."""
        told = [c for c in self.serving.conditions if not (is_shown and c.optional)]
        width = sum(condition.width for condition in told)
        return {C: torch.zeros(EXAMPLES, width)} if width else {}

    def _observation(self, given: Mapping[str, Tensor]) -> Observation:
        x, c = given["x"], given.get(C)
        if c is None and self.serving.conditions:  # as for a caller who does not say
            c = torch.zeros(x.shape[0], sum(told.width for told in self.serving.conditions))
        return self.transform.expected(Rows(x), c)

    def _raw(self, likelihood: Independent) -> Tensor:
        return self.transform.inverse(likelihood.mean)

    def _code(self, observation: Observation) -> Tensor:
        return self.model.embed(observation)

    def _decoded(self, z: Tensor, c: Tensor | None) -> Tensor:
        return self._raw(self.model.decode(self.model.latents(z), c))[0]


@final
class EncodeGraph(Graph):
    """x to its code, and the parameters of q(z | x)."""

    name = "encode"

    def examples(self) -> dict[str, Tensor]:
        return {**self._raw_examples(), **self._conditions(is_shown=True)}

    def answer(self, given: Mapping[str, Tensor]) -> dict[str, Tensor]:
        observation = self._observation(given)
        found = {"z": self._code(observation)}
        if not self.serving.has_density:
            return found
        factors = self.model.infer_at_mean(observation).posterior
        for layer, factor in zip(self.serving.noise, factors, strict=True):
            for name, values in _parameters(factor).items():
                found[f"{layer.name}_{name}"] = _by_example(values, factor)
        return found


@final
class DecodeGraph(Graph):
    """A code to the mean of p(x | z)."""

    name = "decode"

    def examples(self) -> dict[str, Tensor]:
        z = torch.zeros(EXAMPLES, self.serving.latent_dim)
        return {"z": z, **self._conditions(is_shown=False)}

    def answer(self, given: Mapping[str, Tensor]) -> dict[str, Tensor]:
        return {"x": self._decoded(given["z"], given.get(C))}


@final
class ScoreGraph(Graph):
    """x and noise to every score, and to its code."""

    name = "score"

    def examples(self) -> dict[str, Tensor]:
        noise = {
            noise_input(layer.name): torch.full((SAMPLES, 1, *layer.shape), 0.5)
            for layer in self.serving.noise
        }
        return {**self._raw_examples(), **noise, **self._conditions(is_shown=True)}

    def open_size(self, name: str) -> OpenSize | None:
        return "samples" if name.startswith(noise_input("")) else "examples"

    def answer(self, given: Mapping[str, Tensor]) -> dict[str, Tensor]:
        observation = self._observation(given)
        drawn = [given[noise_input(layer.name)] for layer in self.serving.noise]
        n, k = observation.x.shape[0], drawn[0].shape[0] if drawn else 1
        noise = tuple(layer.expand(-1, n, *layer.shape[2:]) for layer in drawn)
        inference = self.model.infer(observation, k, noise)
        log_likelihood = inference.log_likelihood().double()
        fit, found = log_likelihood.mean(0), {}
        if self.serving.has_density:
            ratio = inference.log_prior().double() - inference.log_q().double()
            layers = [kl.double().flatten(2).sum(-1).mean(0) for kl in inference.kl]
            kl = torch.stack(layers).sum(0)
            found = {
                "elbo_nats": fit - kl,
                "expected_log_likelihood_nats": fit,
                "kl_nats": kl,
                "log_likelihood_nats": _log_mean_exp(log_likelihood + ratio),
            }
        z = self._code(observation)
        mse = self._squared_error(given["x"], self._decoded(z, observation.c))
        return {**found, "expected_log_likelihood_nats": fit, "mse": mse, "z": z}

    def _squared_error(self, x: Tensor, reconstruction: Tensor) -> Tensor:
        """What `vaekit.runtime` calls so, in the graph."""
        low, high = self.serving.form.low, self.serving.form.high
        width = 1.0 if low is None or high is None else high - low
        square = ((reconstruction.double() - x.double()) / width).square().flatten(1)
        if self.serving.form.missing != "nan":
            return square.mean(1)
        seen = ~square.isnan()
        return square.where(seen, 0.0).sum(1) / seen.sum(1).clamp_min(1)


@final
class SampleGraph(Graph):
    """Noise and a temperature to means of p(x | z), for z from the prior."""

    name = "sample"

    def examples(self) -> dict[str, Tensor]:
        noise = {
            noise_input(layer.name): torch.full((EXAMPLES, *layer.shape), 0.5)
            for layer in self.serving.noise_of_samples
        }
        return {TEMPERATURE: torch.ones(()), **noise, **self._conditions(is_shown=False)}

    def answer(self, given: Mapping[str, Tensor]) -> dict[str, Tensor]:
        layers = self.serving.noise_of_samples
        noise = tuple(given[noise_input(layer.name)].unsqueeze(0) for layer in layers)
        # A model computes with its temperature, which a tensor is as good for as a number.
        temperature = cast(float, given[TEMPERATURE])
        likelihood = self.model.sample(noise[0].shape[1], given.get(C), temperature, noise)
        return {"x": self._raw(likelihood)}


def _log_mean_exp(values: Tensor) -> Tensor:
    """Over samples; where nothing is finite, minus infinity."""
    top = values.amax(0).clamp_min(torch.finfo(values.dtype).min)
    return top + (values - top).exp().mean(0).log()


def _parameters(factor: Distribution) -> dict[str, Tensor]:
    """What a factor of q(z | x) is made of, in numbers."""
    values: Any = factor.base_dist if isinstance(factor, Independent) else factor
    if isinstance(values, OneHot):
        return {"probabilities": values.mean}
    if isinstance(values, Flow):
        start = moments(values.base)
        return {} if start is None else {"start_mean": start[0], "start_stddev": start[1]}
    if hasattr(values, "codes"):
        return {"indices": values.codes}
    found = moments(factor)
    parameters = {} if found is None else {"mean": found[0], "stddev": found[1]}
    if hasattr(values, "scale_tril"):
        parameters["scale_tril"] = values.scale_tril
    return parameters


def _by_example(values: Tensor, factor: Distribution) -> Tensor:
    """Without the one sample of a layer that depends on another."""
    batch = len(factor.batch_shape)
    return values.squeeze(0) if batch > 1 else values


GRAPHS: Final[tuple[type[Graph], ...]] = (EncodeGraph, DecodeGraph, ScoreGraph, SampleGraph)


def graphs_of(model: Model, transform: Transform, serving: Serving) -> list[Graph]:
    """One for each verb that the model has."""
    kinds = GRAPHS if serving.has_density else (EncodeGraph, DecodeGraph, ScoreGraph)
    return [kind(model, transform, serving).eval() for kind in kinds]
