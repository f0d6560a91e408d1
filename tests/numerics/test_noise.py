"""Noise is a function of its keys, and of nothing else."""

import numpy as np
import pytest
import torch

from vaekit.numerics import Key, NoiseSpec, derive_seed, draw_noise, generator_for

SPECS = (NoiseSpec("z", (3, 2)), NoiseSpec("u", (4,), "uniform"))


@pytest.mark.parametrize(
    ("keys", "seed"),
    [
        # Written down once: if one of these changes, no old run can be repeated.
        ((), 5_460_801_731_388_113_703),
        ((0,), 7_210_762_507_766_007_076),
        ((0, "step", 17), 7_632_570_683_417_508_863),
        ((-1, "weights"), 7_532_847_269_667_930_051),
    ],
)
def test_seeds_are_pinned(keys: tuple[Key, ...], seed: int) -> None:
    assert derive_seed(*keys) == seed


def test_seeds_depend_on_every_key_its_place_and_its_type() -> None:
    alike = [(), (0,), (0, 0), (0, 1), (1, 0), ("0",), ("0", 1), ("0, 1",), ("a", "b"), ("ab",)]
    assert len({derive_seed(*keys) for keys in alike}) == len(alike)


def test_seeds_of_neighbouring_steps_have_nothing_in_common() -> None:
    seeds = np.array([derive_seed(0, "step", step) for step in range(2000)])
    assert seeds.min() >= 0  # below 2^63, which every generator takes
    # Each of 63 bits is set in half of the seeds, give or take sqrt(2000) / 2 = 22; six of them.
    set_in = [int((seeds >> bit & 1).sum()) for bit in range(63)]
    assert max(abs(count - 1000) for count in set_in) < 6 * 22.4


@pytest.mark.parametrize("integer", [np.int64(3), np.uint8(3), np.int32(3)])
def test_a_number_of_numpy_is_the_number_it_is(integer: int) -> None:
    unchecked = getattr(derive_seed, "__wrapped__", derive_seed)  # the annotation says int
    assert unchecked(integer, "a") == derive_seed(3, "a")


def test_fractions_are_no_keys() -> None:
    unchecked = getattr(derive_seed, "__wrapped__", derive_seed)
    with pytest.raises(TypeError):
        unchecked(0.5)  # pyright: ignore[reportArgumentType]


def test_generators_are_fresh() -> None:
    first, second = generator_for(1, "a"), generator_for(1, "a")
    torch.randn(5, generator=first)
    assert torch.equal(
        torch.randn(5, generator=generator_for(1, "a")), torch.randn(5, generator=second)
    )


def test_generators_leave_global_noise_alone() -> None:
    torch.manual_seed(3)
    expected = torch.rand(2)
    torch.manual_seed(3)
    draw_noise(SPECS, generator_for(0))
    assert torch.equal(torch.rand(2), expected)


def test_same_keys_give_the_same_noise() -> None:
    first, second, other = (draw_noise(SPECS, generator_for(seed)) for seed in (1, 1, 2))
    assert all(torch.equal(a, b) for a, b in zip(first, second, strict=True))
    assert not any(torch.equal(a, b) for a, b in zip(first, other, strict=True))


def test_noise_is_what_its_spec_asks_for() -> None:
    many = (NoiseSpec("n", (20_000,)), NoiseSpec("u", (20_000,), "uniform"))
    normal, uniform = draw_noise(many, generator_for(0), dtype=torch.float64)
    assert normal.dtype == uniform.dtype == torch.float64
    # Six standard errors: means by std / sqrt(n), variances by sqrt(kurtosis - 1) std^2 / sqrt(n).
    assert abs(normal.mean()) < 6 / 20_000**0.5
    assert abs(normal.var() - 1) < 6 * 2**0.5 / 20_000**0.5
    assert abs(uniform.mean() - 0.5) < 6 * 12**-0.5 / 20_000**0.5
    assert 0 <= uniform.min() < uniform.max() < 1


def test_nothing_asked_is_nothing_drawn() -> None:
    assert draw_noise(()) == ()
    (empty,) = draw_noise((NoiseSpec("z", (2, 0, 3)),))
    assert empty.shape == (2, 0, 3)


@pytest.mark.gpu
def test_draws_on_the_device_of_the_generator() -> None:
    (noise,) = draw_noise(SPECS[:1], generator_for(0, device="cuda"), device="cuda")
    assert noise.is_cuda
