"""Feature loss: reconstructions are compared in the hidden layers of a network that stays fixed.

    loss = beta KL(q(z | x) || p(z)) + w_f sum_l |f_l(x) - f_l(x')|^2 / (2 s_l^2) - w_p E_q[log p]

x' is the mean of p(x | z), f_l layer l, and s_l the spread of its values over training examples.
The network is the encoder of an artifact that was trained before, or, where none is named,
convolutions with random orthogonal weights, which see edges and strokes but no meaning. Nothing
here is a likelihood, so the loss bounds nothing: `elbo_nats` is reported beside it, of the model's
own likelihood.

References:
    Hou et al. (2017), Deep Feature Consistent Variational Autoencoder,
    https://arxiv.org/abs/1610.00291
    Johnson, Alahi and Fei-Fei (2016), Perceptual Losses for Real-Time Style Transfer and
    Super-Resolution, https://arxiv.org/abs/1603.08155
"""

from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar, Literal, Self, final

import torch
from jaxtyping import Float
from pydantic import Field, NonNegativeFloat, PositiveFloat, TypeAdapter, model_validator
from safetensors.torch import load
from torch import Tensor, nn

from vaekit.artifacts import ArtifactFolder, open_artifact
from vaekit.data import Observation, Statistics
from vaekit.errors import SpecError
from vaekit.models import Model, Noise
from vaekit.networks import (
    ConvSpec,
    Features,
    NetworkSpec,
    ResidualConvSpec,
    feature_error,
    hidden_layers,
    refuse_spatial,
)
from vaekit.numerics import at_least_float32
from vaekit.objectives.beta import BetaSpec, ConstantBeta
from vaekit.objectives.elbo import mean_kl, reported_elbo
from vaekit.objectives.objective import Needs, Objective, Schedule, Terms
from vaekit.spec import Spec


@final
class FeatureLoss(Objective):
    """A distance of features in place of a likelihood.

    Args:
        spec: Weights.
        network: Fixed; its hidden layers are compared.
        statistics: Moments and examples of the training data.
    """

    needs = Needs(density=True)
    monitored = "elbo_nats"
    num_samples = 1
    mean: Tensor
    spread: Tensor
    spreads: Tensor

    def __init__(
        self, spec: "FeatureLossSpec", network: nn.Sequential, statistics: Statistics
    ) -> None:
        super().__init__()
        self.spec, self.network = spec, network.eval().requires_grad_(False)
        self.register_buffer("mean", statistics.mean.clone())
        self.register_buffer("spread", statistics.spread)
        examples = statistics.mean[None] if statistics.examples is None else statistics.examples
        with torch.no_grad():
            layers = self._features(examples)
        spreads = torch.stack([layer.std(unbiased=False) for layer in layers])
        self.register_buffer("spreads", torch.where(spreads > 0, spreads, 1.0))

    def schedule(self, epoch: float) -> dict[str, float]:
        return {"beta": self.spec.beta.at(epoch)}

    def train(self, mode: bool = True) -> Self:
        """As of every module; the network stays as it is."""
        super().train(mode)
        self.network.eval()
        return self

    def forward(
        self,
        model: Model,
        observation: Observation,
        schedule: Schedule,
        noise: Noise | None = None,
        generator: torch.Generator | None = None,
    ) -> Terms:
        inference = model.infer(observation, 1, noise, generator)
        kl = mean_kl(inference)
        fit = inference.log_likelihood().mean()
        rebuilt, mask = inference.likelihood.mean[0], observation.mask
        data = observation.x if mask is None else observation.x.where(mask, rebuilt.detach())
        error = feature_error(self._scaled(data), self._scaled(rebuilt)).mean()
        loss = schedule["beta"] * kl + self.spec.feature_weight * error + inference.penalty
        if self.spec.pixel_weight:
            loss = loss - self.spec.pixel_weight * fit
        reported = {
            **reported_elbo(fit, kl),
            "feature_error_nats": error.detach(),
            **inference.reported,
        }
        return Terms({"model": loss}, reported)

    def _scaled(self, x: Float[Tensor, "batch *event"]) -> Features:
        layers = zip(self._features(x), self.spreads, strict=True)
        return tuple(at_least_float32(layer) / spread for layer, spread in layers)

    def _features(self, x: Float[Tensor, "batch *event"]) -> Features:
        return hidden_layers(self.network, (x - self.mean) / self.spread)[1]


class FeatureLossSpec(Spec):
    """Choices of the feature loss."""

    needs: ClassVar[Needs] = FeatureLoss.needs
    is_bound: ClassVar[bool] = False

    kind: Literal["feature_loss"] = "feature_loss"
    beta: BetaSpec = Field(default=ConstantBeta(), description="Of the KL: a number or a schedule.")
    feature_weight: PositiveFloat = Field(default=0.1, description="Of the distance of features.")
    pixel_weight: NonNegativeFloat = Field(
        default=0.0, description="Of minus the expected log-likelihood of the values."
    )
    artifact: Path | None = Field(
        default=None, description="Artifact whose encoder's hidden layers are compared."
    )
    network: NetworkSpec = Field(
        default=ConvSpec(channels=(32, 64), initialization="orthogonal"),
        description="Random network where there is no artifact; vectors go with 'mlp'.",
    )

    @model_validator(mode="after")
    def _has_layers(self) -> Self:
        refuse_spatial("says nothing of its layers", network=self.network)
        return self

    def build(self, statistics: Statistics | None = None) -> FeatureLoss:
        """The objective.

        Raises:
            ArtifactError: The artifact cannot be read.
            SpecError: Its encoder, or the network, is not for such examples.
        """
        if statistics is None:
            raise SpecError(
                "Features are of examples of the data.",
                where="objective.kind = 'feature_loss'",
                expected="statistics of the training data",
            )
        shape = tuple(statistics.mean.shape)
        if self.artifact is None:
            return FeatureLoss(self, self.network.build_encoder(shape, 1), statistics)
        return FeatureLoss(self, _encoder_of(open_artifact(self.artifact), shape), statistics)


_PART = "model.encoder.network."


def _encoder_of(artifact: ArtifactFolder, event_shape: tuple[int, ...]) -> nn.Sequential:
    """The encoder network of an artifact, with its weights."""
    chosen = artifact.document("recipe.json").get("model", {}).get("encoder")
    tensors = load(artifact.read("model.safetensors"))
    weights = {k.removeprefix(_PART): v for k, v in tensors.items() if k.startswith(_PART)}
    if chosen is None or not weights:
        raise SpecError(
            "The model of this artifact has no encoder whose layers could be compared.",
            where=f"objective.artifact = {artifact.path}",
            remedy="name the artifact of a model.kind = 'vae', or of an 'autoencoder'",
        )
    hidden = _but_the_last(weights)
    network = TypeAdapter[NetworkSpec](NetworkSpec).validate_python(chosen)
    if isinstance(network, ResidualConvSpec):  # whatever its code: what comes before it is read
        network = network.model_copy(update={"code": "dense"})
    built = network.build_encoder(event_shape, 1)
    try:
        built.load_state_dict({**built.state_dict(), **hidden})
    except RuntimeError as error:
        raise SpecError(
            "The encoder of this artifact was made for other examples.",
            where=f"objective.artifact = {artifact.path}",
            expected=f"an encoder of examples of shape {event_shape}",
            found=str(error).splitlines()[-1].strip(),
            remedy="name an artifact that was trained on data of this form",
        ) from error
    return built


def _but_the_last(weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Weights of all layers but the one that makes the code, whose size is the model's own."""
    last = max(int(name.split(".")[0]) for name in weights)
    return {k: v for k, v in weights.items() if not k.startswith(f"{last}.")}
