"""A stochastic layer of several that carries nothing.

    layer KL = E_x E_q[KL(q(z_l | ...) || p(z_l | layers above))], in nats

Of several layers the top ones fall silent first: what the lower ones say they cannot add to.

Reference:
    Sonderby et al. (2016), Ladder Variational Autoencoders, https://arxiv.org/abs/1602.02282
"""

from typing import Final, final

import numpy as np

from vaekit.diagnosis.blame import heavy_kl, no_free_bits, no_warm_up, smaller_networks
from vaekit.diagnosis.finding import (
    Answer,
    Check,
    Finding,
    Healthy,
    NotApplicable,
    Statistic,
)
from vaekit.diagnosis.pictures import kl_of_layers
from vaekit.diagnosis.subject import Subject

LEAST: Final = 0.1
"""Nats of a whole layer; one that is in use carries several."""
FREE_BITS: Final = 0.5


@final
class CollapsedLayer(Check):
    """A silent layer."""

    name = "collapsed_layer"
    title = "A stochastic layer carries nothing"
    severity = "serious"
    symptom = "A hierarchical model is no better than one without its top layer."
    needs = "a model with several stochastic layers"
    explains = ()
    reference = "Sonderby et al. (2016), https://arxiv.org/abs/1602.02282"

    def examine(self, subject: Subject) -> Answer:
        kl = [float(layer.sum(1).mean()) for layer in subject.scores.kl]
        if len(kl) < 2 or subject.facts.latent_class:
            return NotApplicable("the model has one stochastic layer")
        layer = int(np.argmin(kl))
        statistic = Statistic("smallest KL of a layer, in nats", kl[layer], LEAST, "below")
        if not statistic.is_bad:
            return Healthy(statistic)
        recipe = subject.recipe
        blame = (
            heavy_kl(recipe)
            or no_free_bits(recipe, FREE_BITS, "layer")
            or no_warm_up(recipe)
            or smaller_networks(recipe)
        )
        said = ", ".join(f"{nats:.2f}" for nats in kl)
        return Finding(
            symptom=f"Layer {layer}, counted from the top, has a KL of {kl[layer]:.3f} nats "
            f"(all layers: {said}).",
            statistic=statistic,
            cause=blame.cause,
            remedy=blame.remedy,
            evidence={f"kl_nats_layer_{number}": nats for number, nats in enumerate(kl)},
            picture=kl_of_layers(kl),
        )
