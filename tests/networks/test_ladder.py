"""The paths of a ladder, and attention."""

from typing import Any

import pytest
import torch
from pydantic import ValidationError

from vaekit.errors import SpecError
from vaekit.networks import LadderConvSpec, LadderMLPSpec, LadderSpec
from vaekit.networks.attention import SelfAttention
from vaekit.numerics import generator_for

SPECS: dict[str, LadderSpec] = {
    "mlp": LadderMLPSpec(latent_dims=(5, 4, 3), width=8),
    "mlp xavier": LadderMLPSpec(latent_dims=(5, 3), width=8, initialization="xavier"),
    "conv": LadderConvSpec(channels=(4, 8), layers=(1, 2)),
    "conv orthogonal": LadderConvSpec(
        channels=(4, 8, 8), layers=(0, 1, 1), initialization="orthogonal", attention=True
    ),
}


@pytest.mark.parametrize("spec", SPECS.values(), ids=SPECS)
def test_a_feature_and_a_rung_for_each_layer(spec: LadderSpec) -> None:
    ladder = spec.build((1, 9, 7), (2, 1, 9, 7))
    features = ladder.up(torch.randn(3, 1, 9, 7))
    assert len(features) == len(ladder.rungs) == spec.depth
    state = torch.zeros(2, 3, *ladder.state)
    for feature, rung in zip(features, ladder.rungs, strict=True):
        assert feature.shape == state[0].shape
        size = rung.latent_dim
        assert rung.posterior(feature).shape == (3, 2 * size)
        state = rung(state, torch.randn(2, 3, size))
    assert ladder.out(state.flatten(2)[0]).shape == (3, 2, 1, 9, 7)


@pytest.mark.parametrize("spec", SPECS.values(), ids=SPECS)
def test_prior_starts_as_the_standard_normal(spec: LadderSpec) -> None:
    top, *others = spec.build((1, 9, 7), (1, 1, 9, 7)).rungs
    assert top.prior is None
    for rung in others:
        assert rung.prior is not None
        channels = next(rung.after.parameters()).shape[1]
        state = torch.randn(3, channels) if "MLP" in type(spec).__name__ else torch.randn(
            3, channels, 2, 2
        )  # fmt: skip
        assert (rung.prior(state) == 0).all()


@pytest.mark.parametrize("layers", [(1,), (1, 0), (1, 1, 1)])
def test_layers_that_do_not_fit_the_stages_are_refused(layers: Any) -> None:
    with pytest.raises(ValidationError, match=r"stages|last stage"):
        LadderConvSpec(channels=(4, 8), layers=layers)


@pytest.mark.parametrize("event", [(5,), (1, 1, 9)])
def test_what_is_no_image_or_too_small_is_refused(event: tuple[int, ...]) -> None:
    with pytest.raises(SpecError):
        LadderConvSpec().build(event, (1, *event))


def test_attention_starts_as_the_identity_and_mixes_places() -> None:
    x = torch.randn(2, 8, 3, 4, generator=generator_for(0))
    attention = SelfAttention(8)
    assert torch.equal(attention(x), x)
    torch.nn.init.normal_(attention.last.weight, generator=generator_for(1))
    # Against the definition, place by place.
    maps = attention.maps(attention.normalized(x)).flatten(2)
    query, key, value = maps.chunk(3, dim=1)
    weights = torch.einsum("bcp,bcq->bpq", query, key).div(8**0.5).softmax(-1)
    seen = torch.einsum("bpq,bcq->bcp", weights, value).reshape(x.shape)
    torch.testing.assert_close(attention(x), x + attention.last(seen))
