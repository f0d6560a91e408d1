"""Marginal likelihoods for the third figure, by annealed importance sampling.

The paper estimates them with a density fitted to samples of HMC (its appendix D), which has no
sign to its error. Chains led from the prior to the posterior give an estimate whose expectation
is from below, and need no recognition network, so that all three algorithms are measured alike.
"""

from typing import Final

from vaekit.data import Observation
from vaekit.evaluation import AISSpec, annealed_importance_sampling
from vaekit.models import VAE

POINTS_PER_DECADE: Final = 3
CHAINS: Final = AISSpec(examples=100, chains=8, temperatures=60, leapfrog_steps=5)


def marginal_likelihood(
    model: VAE, shown: Observation, spec: AISSpec = CHAINS, seed: int = 0
) -> float:
    """log p(x), the mean over examples, in nats.

    Args:
        model: What generates.
        shown: The examples, all of which are used.
        spec: Chains and temperatures.
        seed: Seed of all chains.
    """
    was_training = model.training
    found = annealed_importance_sampling(model.eval(), shown, spec, seed)
    model.train(was_training)
    return found.log_likelihood.mean().item()
