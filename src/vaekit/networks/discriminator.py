"""A network that tells data from what a model made, and says what it looks at.

Every weight matrix W is divided by its largest singular value, as power iteration finds it: what
the network says cannot change faster than its input, and its opponent always has a slope to climb.
A convolution counts as the matrix of its kernel, output channels by everything else.

Reference:
    Miyato et al. (2018), Spectral Normalization for Generative Adversarial Networks,
    https://arxiv.org/abs/1802.05957
"""

from typing import NamedTuple, final

from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm

from vaekit.networks.features import Features, hidden_layers

FIRST_ITERATIONS = 30
"""Power iterations before training begins; every later step makes one more."""


class Verdict(NamedTuple):
    """What a discriminator says of a batch."""

    logits: Float[Tensor, " batch"]
    """Above zero for what it takes for data."""
    features: Features
    """Its hidden layers, from the first to the last."""


@final
class Discriminator(nn.Module):
    """Wraps a network in spectral normalisation.

    Args:
        network: Layers, one after another, from an example to one number.
    """

    def __init__(self, network: nn.Sequential) -> None:
        super().__init__()
        self.network = network
        for module in list(network.modules()):
            if isinstance(module, nn.Linear | nn.Conv2d):
                spectral_norm(module, n_power_iterations=1)
        for _ in range(FIRST_ITERATIONS):
            for module in network.modules():
                if isinstance(module, nn.Linear | nn.Conv2d):
                    _ = module.weight  # an iteration whenever it is looked at in training mode

    def forward(self, x: Float[Tensor, "batch *event"]) -> Verdict:
        logits, features = hidden_layers(self.network, x)
        return Verdict(logits.squeeze(-1), features)
