import pytest
from matplotlib.patches import Rectangle

from vaekit.errors import DataError
from vaekit.figures import kl_by_layer


@pytest.mark.parametrize("layers", [1, 12])
def test_a_bar_for_each_layer_from_the_top(layers: int) -> None:
    kl = [0.5 + index for index in range(layers)]
    (ax,) = kl_by_layer(kl).axes
    heights = [bar.get_height() for bar in ax.patches if isinstance(bar, Rectangle)]
    assert heights == kl
    assert ax.get_title(loc="left") == f"KL {sum(kl):,.2f} nats over {layers} layers"


@pytest.mark.parametrize("kl", [[], [1.0, float("nan")]])
def test_what_is_no_number_is_refused(kl: list[float]) -> None:
    with pytest.raises(DataError, match="no KL per layer"):
        kl_by_layer(kl)
