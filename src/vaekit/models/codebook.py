"""A codebook that follows the vectors that use it: online k-means, with moving averages.

    n_k <- n_k + rate (number of vectors nearest to e_k - n_k)
    m_k <- m_k + rate (their sum - m_k),    e_k = m_k / n_k,    rate = 1 - decay

A code that fewer vectors use than `revive_below` of an even share is dead: it moves onto one of the
vectors of the batch, chosen by the noise that the model is handed. At the start all codes are dead,
so that the first batch is where they begin. All of it is a function of the buffers, the batch and
the noise, and no gradient is involved.

References:
    van den Oord, Vinyals and Kavukcuoglu (2017), Neural Discrete Representation Learning,
    appendix A.1, https://arxiv.org/abs/1711.00937
    Dhariwal et al. (2020), Jukebox: A Generative Model for Music, section 3.1 (revival),
    https://arxiv.org/abs/2005.00341
"""

from typing import final

import torch
from jaxtyping import Float, Int64
from pydantic import Field, NonNegativeFloat, PositiveInt
from torch import Tensor, nn
from torch.nn.functional import one_hot

from vaekit.spec import Spec


class CodebookSpec(Spec):
    """How a codebook follows its vectors, and they stay near it."""

    size: int = Field(default=64, ge=2, description="Number of codes.")
    dim: PositiveInt = Field(default=16, description="Numbers in the vector of a code.")
    commitment: NonNegativeFloat = Field(
        default=0.25,
        description="Weight of a vector's squared distance to its code, in the loss.",
    )
    decay: float = Field(default=0.98, ge=0.0, lt=1.0, description="Of the moving averages.")
    revive_below: float = Field(
        default=0.05,
        ge=0.0,
        lt=1.0,
        description="Share of an even use below which a code is dead and moves; 0 moves none.",
    )

    def build(self) -> "Codebook":
        return Codebook(self)


@torch.no_grad()
def nearest(
    codes: Float[Tensor, "codes dim"], vectors: Float[Tensor, "*lead dim"]
) -> Int64[Tensor, "*lead"]:
    """The number of the code at the smallest distance from each vector.

    Example:
        >>> nearest(torch.tensor([[0.0], [2.0]]), torch.tensor([[0.9], [1.1]]))
        tensor([0, 1])
    """
    # |v - e|^2 without |v|^2, which all codes have in common. Exact products: a code that
    # bfloat16 cannot tell from its neighbour is another code.
    with torch.autocast(vectors.device.type, enabled=False):
        products = vectors @ codes.T
    return (codes.square().sum(-1) - 2 * products).argmin(-1)


@final
class Codebook(nn.Module):
    """Vectors e_1, ..., e_K.

    Args:
        spec: Their number and size, and how they follow.
    """

    vectors: Tensor
    counts: Tensor
    sums: Tensor
    follows: bool
    """Whether `take_in` changes anything; not while the codebook is frozen."""

    def __init__(self, spec: CodebookSpec) -> None:
        super().__init__()
        self.follows = True
        self.spec = spec
        self.register_buffer("vectors", torch.randn(spec.size, spec.dim))
        self.register_buffer("counts", torch.zeros(spec.size))
        self.register_buffer("sums", torch.zeros(spec.size, spec.dim))

    def nearest(self, vectors: Float[Tensor, "*lead dim"]) -> Int64[Tensor, "*lead"]:
        """The code at the smallest distance from each vector."""
        return nearest(self.vectors, vectors)

    def forward(self, codes: Int64[Tensor, "*lead"]) -> Float[Tensor, "*lead dim"]:
        return self.vectors[codes]

    @torch.no_grad()
    def usage(self, codes: Int64[Tensor, "*lead"]) -> Float[Tensor, " codes"]:
        """Share of every code."""
        counts = one_hot(codes.flatten(), self.spec.size).to(self.vectors.dtype).sum(0)
        return counts / max(codes.numel(), 1)

    @torch.no_grad()
    def take_in(
        self,
        vectors: Float[Tensor, "*lead dim"],
        codes: Int64[Tensor, "*lead"],
        noise: Float[Tensor, "*lead"],
    ) -> None:
        """Follows a batch of vectors; one that is not finite changes nothing.

        Args:
            vectors: What was encoded.
            codes: Which code is nearest to each.
            noise: A number for each vector: dead codes move onto those of the smallest.
        """
        if not self.follows:
            return
        seen, chosen = vectors.flatten(0, -2), one_hot(codes.flatten(), self.spec.size)
        chosen = chosen.to(seen.dtype)
        rate = 1 - self.spec.decay
        with torch.autocast(seen.device.type, enabled=False):
            counts = self.counts.lerp(chosen.sum(0), rate)
            sums = self.sums.lerp(chosen.T @ seen, rate)
        even = len(seen) / self.spec.size
        dead = counts < self.spec.revive_below * even
        order = noise.flatten().argsort()
        places = torch.arange(self.spec.size, device=seen.device) % len(seen)
        begun = seen[order[places]]
        counts = torch.where(dead, even, counts)
        sums = torch.where(dead[:, None], even * begun, sums)
        moved = (counts > 0)[:, None]
        means = torch.where(moved, sums / counts.clamp_min(1e-12)[:, None], self.vectors)
        sound = seen.isfinite().all()
        for buffer, new in ((self.counts, counts), (self.sums, sums), (self.vectors, means)):
            buffer.copy_(torch.where(sound, new, buffer))
