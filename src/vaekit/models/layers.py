"""What models with several stochastic layers have in common: their noise and their codes.

Layers are counted from the top, the first to be generated. Each is a vector; the code of an
example is all of them side by side.
"""

from collections.abc import Sequence
from dataclasses import replace

import torch
from jaxtyping import Float
from torch import Tensor, nn

from vaekit.errors import SpecError
from vaekit.models.model import Facts, Latents, Noise
from vaekit.numerics import NoiseSpec, draw_noise


def layer_noise(sizes: Sequence[int], batch: int, num_samples: int) -> tuple[NoiseSpec, ...]:
    """Standard normal noise for layers of these sizes, the top first."""
    # Names key the noise of a served model: every layer needs its own.
    names = ["z"] if len(sizes) == 1 else [f"z_layer_{index}" for index in range(len(sizes))]
    return tuple(
        NoiseSpec(name, (num_samples, batch, size)) for name, size in zip(names, sizes, strict=True)
    )


def sample_noise(layers: tuple[NoiseSpec, ...], prior: nn.Module) -> tuple[NoiseSpec, ...]:
    """Noise for samples: as for layers, with what the prior of the top one takes beyond that."""
    top, *below = layers
    size = int(getattr(prior, "noise_size", top.shape[-1]))
    return (replace(top, shape=(*top.shape[:-1], size)), *below)


def refuse_conditions(num_conditions: int, model: str) -> None:
    """For models that do not listen to c.

    Raises:
        SpecError: There is one.
    """
    if num_conditions:
        raise SpecError(
            f"The model {model!r} has no place for a condition.",
            where=f"model.kind = {model!r} with transform.condition",
            remedy="leave transform.condition out, or choose model.kind = 'vae'",
        )


def given_or_drawn(
    spec: tuple[NoiseSpec, ...],
    noise: Noise | None,
    generator: torch.Generator | None,
    like: Tensor,
) -> Noise:
    """The noise that was handed in, or else fresh noise of the kind of `like`."""
    return draw_noise(spec, generator, like.device, like.dtype) if noise is None else noise


def side_by_side(z: Latents) -> Float[Tensor, "batch features"]:
    """The code that the first sample of every layer makes."""
    return torch.cat([layer[0] for layer in z], dim=-1)


def apart(codes: Float[Tensor, "batch features"], sizes: Sequence[int]) -> Latents:
    """One sample of every layer, from codes; undoes `side_by_side`."""
    return tuple(layer.unsqueeze(0) for layer in codes.split(list(sizes), dim=-1))


def layered_facts(batch_statistics: bool, layers: int, shared_weights: bool = False) -> Facts:
    """What a model of Gaussian layers declares about itself."""
    return Facts(
        has_density=True,
        reparameterized=True,
        batch_statistics=batch_statistics,
        nested_posterior=layers > 1,
        shared_weights=shared_weights,
    )
