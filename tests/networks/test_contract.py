"""Promises that every network keeps."""

import itertools
from collections.abc import Callable
from typing import Any, get_args

import pytest
import torch
import torch.nn.functional as F
from pydantic import TypeAdapter, ValidationError
from torch import Tensor, nn

from vaekit.data import Observation, Statistics
from vaekit.errors import SpecError
from vaekit.models import VAESpec
from vaekit.networks import LayerSpec, NetworkSpec, uses_batch_statistics
from vaekit.networks.layers import Activation, Gated, Initialization, Normalization
from vaekit.networks.residual_conv import ResidualBlock
from vaekit.numerics import generator_for

SPECS: dict[str, dict[str, Any]] = {
    "mlp": {"kind": "mlp", "hidden": [12, 8]},
    "linear": {"kind": "mlp", "hidden": []},
    "conv": {"kind": "conv", "channels": [4, 8], "hidden": 12},
    "conv_of_three": {"kind": "conv", "channels": [4, 4, 8], "kernel_size": 3, "hidden": 12},
    "residual": {"kind": "residual_conv", "channels": [4, 8], "blocks": 1},
}
SHAPES = [(1, 28, 28), (1, 28, 20), (1, 8, 8), (3, 7, 5)]
CONVOLUTIONAL = [name for name in SPECS if name not in ("mlp", "linear")]
parse = TypeAdapter(NetworkSpec).validate_python


@pytest.fixture(params=SPECS, ids=str)
def name(request: pytest.FixtureRequest) -> str:
    return request.param


def spec(name: str, **changes: Any) -> Any:
    return parse({**SPECS[name], **changes})


def noise(*shape: int) -> Tensor:
    return torch.randn(shape, generator=generator_for(0))


def pair(name: str, shape: tuple[int, ...], **changes: Any) -> tuple[nn.Module, nn.Module]:
    """An encoder to six numbers, and a decoder from three to two per value."""
    torch.manual_seed(0)
    chosen = spec(name, **changes)
    return chosen.build_encoder(shape, 6), chosen.build_decoder(3, (2, *shape))


def wake(*networks: nn.Module) -> None:
    """Residual blocks start as the identity; after this they are what they are in training."""
    for module in (m for network in networks for m in network.modules()):
        if isinstance(module, ResidualBlock):
            nn.init.normal_(module.last.weight, std=0.3)


def layers_of(network: nn.Module) -> list[nn.Module]:
    kinds = (nn.Linear, nn.Conv2d, nn.ConvTranspose2d)
    return [module for module in network.modules() if isinstance(module, kinds)]


def test_spec_goes_there_and_back(name: str) -> None:
    there = spec(name, activation="gated", normalization="group", dropout=0.1)
    assert TypeAdapter(NetworkSpec).validate_json(there.model_dump_json()) == there


@pytest.mark.parametrize(
    "wrong", [{"colour": 1}, {"activation": "cube"}, {"dropout": 1.0}, {"normalization": "all"}]
)
def test_spec_refuses_what_it_does_not_know(name: str, wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError, match=next(iter(wrong))):
        spec(name, **wrong)


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_shapes_are_what_was_asked_for(name: str, shape: tuple[int, ...]) -> None:
    encoder, decoder = pair(name, shape)
    assert encoder(noise(4, *shape)).shape == (4, 6)
    assert decoder(noise(4, 3)).shape == (4, 2, *shape)
    assert decoder(noise(0, 3)).shape == (0, 2, *shape)


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_every_pixel_has_its_way_in_and_out(name: str, shape: tuple[int, ...]) -> None:
    encoder, decoder = pair(name, shape, activation="tanh")
    x = noise(2, *shape).requires_grad_()
    (slope,) = torch.autograd.grad(encoder(x).square().sum(), x)
    assert (slope != 0).all()
    assert (decoder(noise(64, 3)).std(0) > 0).all()


@pytest.mark.parametrize(
    ("activation", "normalization"),
    list(itertools.product(get_args(Activation), get_args(Normalization))),
)
def test_layers_have_finite_gradients_that_reach_all(
    name: str, activation: str, normalization: str
) -> None:
    networks = pair(name, (3, 7, 5), activation=activation, normalization=normalization)
    wake(*networks)
    for network, value in zip(networks, (noise(8, 3, 7, 5), noise(8, 3)), strict=True):
        value.requires_grad_()
        output = network(value)
        assert output.isfinite().all()
        output.square().sum().backward()
        for tensor in (value, *network.parameters()):
            assert tensor.grad is not None
            assert tensor.grad.isfinite().all()
        matrices = [layer.weight.grad for layer in layers_of(network)]
        assert all(isinstance(g, Tensor) and bool(g.any()) for g in matrices)


@pytest.mark.parametrize("activation", get_args(Activation))
def test_activations_are_non_linear(name: str, activation: str) -> None:
    encoder, _ = pair(name, (1, 8, 8), activation=activation)
    wake(encoder)
    one, other = noise(2, 1, 8, 8).split(1)
    zero = encoder(torch.zeros_like(one))
    excess = encoder(one + other) - encoder(one) - encoder(other) + zero
    # Four float32 roundings of outputs of order one, or a curvature that can be seen.
    assert bool(excess.abs().max() < 1e-5) == (name == "linear")


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_decoders_leave_the_output_bias_to_the_caller(name: str, shape: tuple[int, ...]) -> None:
    _, decoder = pair(name, shape)
    *_, last = layers_of(decoder)
    assert last.bias is None
    nn.init.zeros_(last.weight)  # pyright: ignore[reportArgumentType]
    assert not decoder(noise(4, 3)).any()


def test_examples_are_independent(name: str) -> None:
    for normalization in get_args(Normalization):
        encoder, _ = pair(name, (1, 8, 8), activation="tanh", normalization=normalization)
        wake(encoder)
        x = noise(4, 1, 8, 8).requires_grad_()
        (slope,) = torch.autograd.grad(encoder(x)[0].square().sum(), x)
        touches_others = bool(slope[1:].any())
        assert touches_others == uses_batch_statistics(encoder)
        assert touches_others == (normalization == "batch" and name != "linear")
        assert spec(name, normalization=normalization).uses_batch_statistics == (
            normalization == "batch"
        )


def test_dropout_acts_in_training_only(name: str) -> None:
    encoder, decoder = pair(name, (1, 8, 8), dropout=0.5, activation="tanh")
    wake(encoder, decoder)
    for network, value in ((encoder, noise(4, 1, 8, 8)), (decoder, noise(4, 3))):
        assert torch.equal(network(value), network(value)) == (name == "linear")
        network.eval()
        assert torch.equal(network(value), network(value))


@pytest.mark.parametrize("initialization", get_args(Initialization))
def test_initialization_takes_effect(name: str, initialization: str) -> None:
    for network in pair(name, (1, 8, 8), initialization=initialization):
        zeros = {m.last for m in network.modules() if isinstance(m, ResidualBlock)}
        for layer in layers_of(network):
            weight, bias = layer.weight, layer.bias
            assert isinstance(weight, Tensor)
            if layer in zeros:
                assert not weight.any()
                continue
            if isinstance(bias, Tensor):
                assert bool(bias.any()) == (initialization == "default")
            check_weights(weight.detach(), initialization)


def check_weights(weight: Tensor, initialization: str) -> None:
    fan_in, fan_out = nn.init._calculate_fan_in_and_fan_out(weight)
    if initialization == "default":  # torch's own: uniform up to 1 / sqrt(fan in)
        assert weight.abs().max() <= fan_in**-0.5
    elif initialization == "xavier":  # Glorot and Bengio (2010), eq. 16
        bound = (6 / (fan_in + fan_out)) ** 0.5
        # None of n uniform draws lies in the outer half with probability 2^-n, n > 30 here.
        assert bound / 2 < weight.abs().max() <= bound
    elif initialization == "kaiming":  # He et al. (2015), eq. 10
        # Six standard errors of the standard deviation of normal draws: 6 / sqrt(2 n).
        deviation = weight.square().mean().sqrt() / (2 / fan_in) ** 0.5
        assert abs(float(deviation) - 1) < 6 / (2 * weight.numel()) ** 0.5
    else:
        rows = weight.flatten(1)
        rows = rows if rows.shape[0] <= rows.shape[1] else rows.T
        # A product of rows of at most a few hundred float32 numbers of norm one.
        torch.testing.assert_close(rows @ rows.T, torch.eye(len(rows)), rtol=0, atol=1e-5)


@pytest.mark.parametrize("initialization", get_args(Initialization))
@pytest.mark.parametrize("activation", ["relu", "gated"])
@pytest.mark.parametrize("normalization", get_args(Normalization))
def test_residual_blocks_start_as_the_identity(
    initialization: str, activation: str, normalization: str
) -> None:
    networks = pair(
        "residual",
        (1, 8, 8),
        initialization=initialization,
        activation=activation,
        normalization=normalization,
    )
    blocks = [m for n in networks for m in n.modules() if isinstance(m, ResidualBlock)]
    assert len(blocks) == 4  # two stages each
    for block in blocks:
        value = noise(2, len(block.last.weight), 4, 4)
        assert torch.equal(block(value), value)
        block(value).square().sum().backward()
        assert block.last.weight.grad is not None
        assert block.last.weight.grad.any()  # and does not have to stay so


@pytest.mark.parametrize("name", CONVOLUTIONAL)
@pytest.mark.parametrize("shape", [(784,), (28, 28)])
def test_convolutions_refuse_what_is_no_image(name: str, shape: tuple[int, ...]) -> None:
    chosen = spec(name)
    for build in (
        lambda: chosen.build_encoder(shape, 6),
        lambda: chosen.build_decoder(3, (1, *shape)),
    ):
        with pytest.raises(SpecError, match="need images") as raised:
            build()
        assert "'mlp'" in str(raised.value)
        assert str(shape) in str(raised.value)


@pytest.mark.parametrize("name", ["conv", "residual"])
@pytest.mark.parametrize(("shape", "most"), [((1, 8, 8), 3), ((3, 7, 5), 3), ((1, 28, 2), 1)])
def test_too_many_halvings_are_refused(name: str, shape: tuple[int, ...], most: int) -> None:
    def build(layers: int) -> list[Tensor]:
        encoder, decoder = pair(name, shape, channels=[4] * layers)
        return [encoder(noise(2, *shape)), decoder(noise(2, 3))]

    assert build(most)[1].shape == (2, 2, *shape)
    for layers in (most + 1, most + 5):
        with pytest.raises(SpecError, match=f"cannot be halved {layers} times") as raised:
            build(layers)
        assert f"at most {most} entries" in str(raised.value)


@pytest.mark.parametrize("size", [2, 4])
def test_even_kernels_are_refused(size: int) -> None:
    with pytest.raises(ValidationError, match="must be odd"):
        spec("conv", kernel_size=size)


@pytest.mark.parametrize("kernel", [1, 3, 5, 7])
def test_every_odd_kernel_gives_the_same_shapes(kernel: int) -> None:
    encoder, decoder = pair("conv", (3, 7, 5), kernel_size=kernel)
    assert encoder(noise(2, 3, 7, 5)).shape == (2, 6)
    assert decoder(noise(2, 3)).shape == (2, 2, 3, 7, 5)


def test_without_hidden_layers_a_network_is_a_matrix() -> None:
    encoder, decoder = pair("linear", (2, 3))
    (there,), (back,) = layers_of(encoder), layers_of(decoder)
    x, z = noise(4, 2, 3), noise(4, 3)
    assert torch.equal(encoder(x), there(x.flatten(1)))
    assert torch.equal(decoder(z), back(z).reshape(4, 2, 2, 3))


def test_gate_lets_through_what_its_second_half_says() -> None:
    value = torch.tensor([[3.0, -2.0, 100.0, -100.0]])
    torch.testing.assert_close(Gated()(value), torch.tensor([[3.0, 0.0]]))


@pytest.mark.parametrize("activation", sorted(set(get_args(Activation)) - {"gated"}))
def test_activations_are_what_their_names_say(activation: str) -> None:
    (layer,) = LayerSpec.model_validate({"activation": activation}).finish(4, spatial=False)
    function: Callable[[Tensor], Tensor] = getattr(F, activation)
    assert torch.equal(layer(noise(8, 4)), function(noise(8, 4)))


@pytest.mark.parametrize("shape", [(64, 16), (64, 16, 3, 3)], ids=str)
@pytest.mark.parametrize("normalization", ["layer", "group", "batch"])
def test_normalizations_are_over_what_their_names_say(
    normalization: str, shape: tuple[int, ...]
) -> None:
    chosen = LayerSpec.model_validate({"normalization": normalization})
    layer, _ = chosen.finish(16, spatial=len(shape) == 4)
    normal = layer(3 + 2 * noise(*shape)).reshape(64, 16, -1)
    together = {
        "layer": normal.reshape(64, -1),
        "group": normal.reshape(64 * 4, -1),  # sixteen units are four groups of four
        "batch": normal.transpose(0, 1).reshape(16, -1),
    }[normalization]
    # Each norm adds 1e-5 to a variance: of four numbers of variance 4 that may be as low as 0.01.
    torch.testing.assert_close(together.mean(1), torch.zeros(len(together)), rtol=0, atol=1e-5)
    variance = together.var(1, correction=0)
    torch.testing.assert_close(variance, torch.ones_like(variance), rtol=0, atol=2e-3)


def test_a_spatial_code_fills_whole_channels() -> None:
    chosen = parse({"kind": "residual_conv", "channels": [4, 8], "code": "spatial"})
    model = VAESpec(latent_dim=14, encoder=chosen, decoder=chosen)
    seen = Statistics(torch.zeros(1, 8, 8), torch.ones(1, 8, 8))
    # Means and log-scales of two numbers each would do for the network, not for the code.
    with pytest.raises(SpecError, match=r"2 x 2 = 4(.|\n)*14 numbers(.|\n)*latent_dim = 16"):
        model.build((1, 8, 8), seen)
    right = model.model_copy(update={"latent_dim": 16}).build((1, 8, 8), seen)
    assert right.infer(Observation(torch.zeros(3, 1, 8, 8))).z[0].shape == (1, 3, 16)
