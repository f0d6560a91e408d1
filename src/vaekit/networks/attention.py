"""Self-attention between the places of an image, as a residual block.

    x + project(softmax(q k' / sqrt(channels)) v),    q, k, v = linear maps of normalised x

The last map starts at zero: a network with the block starts as the one without it.

Reference:
    Vaswani et al. (2017), Attention Is All You Need, https://arxiv.org/abs/1706.03762
    Wang et al. (2018), Non-local Neural Networks, https://arxiv.org/abs/1711.07971
"""

from typing import final

from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import scaled_dot_product_attention

from vaekit.networks.layers import normalization, zeros_


@final
class SelfAttention(nn.Module):
    """Every place of an image looks at every other, with one head.

    Args:
        channels: Of the image.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.normalized = normalization("group", channels, spatial=True)
        self.maps = nn.Conv2d(channels, 3 * channels, 1)
        self.last = zeros_(nn.Conv2d(channels, channels, 1))

    def forward(self, x: Float[Tensor, "batch c h w"]) -> Float[Tensor, "batch c h w"]:
        query, key, value = self.maps(self.normalized(x)).flatten(2).mT.chunk(3, dim=-1)
        seen = scaled_dot_product_attention(query, key, value)
        return x + self.last(seen.mT.reshape(x.shape))
