"""Batch normalisation as a fixed function, for the time of a measurement.

While training, a layer divides by the statistics of its batch; its running averages lag behind by
tens of steps, which in the first epoch is all there is to see. So the instruments set the averages
to the statistics of the held-out batch they measure, and put everything back afterwards.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import nn

from vaekit.data import Observation
from vaekit.models import Model
from vaekit.numerics import draw_noise, generator_for


@contextmanager
def calibrated(model: Model, observation: Observation) -> Iterator[None]:
    """Inside the block the model is in evaluation mode, with averages over `observation`.

    Afterwards it is bit for bit what it was.
    """
    layers = [m for m in model.modules() if isinstance(m, nn.modules.batchnorm._BatchNorm)]
    buffers = [buffer for layer in layers for buffer in layer.buffers()]
    kept = [buffer.clone() for buffer in buffers]
    momenta, was_training = [layer.momentum for layer in layers], model.training
    try:
        if layers:
            _take_averages(model, layers, observation)
        model.eval()
        yield
    finally:
        with torch.no_grad():
            for buffer, value in zip(buffers, kept, strict=True):
                buffer.copy_(value)
        for layer, momentum in zip(layers, momenta, strict=True):
            layer.momentum = momentum
        model.train(was_training)


def _take_averages(
    model: Model, layers: list[nn.modules.batchnorm._BatchNorm], observation: Observation
) -> None:
    """One presentation in which an average is what was seen last."""
    for layer in layers:
        layer.momentum = 1.0
    like = next(model.parameters())
    noise = draw_noise(
        model.noise_spec(len(observation)), generator_for(0, "calibration"), like.device, like.dtype
    )
    with torch.no_grad(), torch.random.fork_rng(devices=[]):
        model.train()
        model.infer(observation, noise=noise)
