"""Likelihoods p(x | z): what the decoder's outputs mean. Pick one."""

from typing import Annotated, TypeAlias

from pydantic import Field

from vaekit.likelihoods.bernoulli import BernoulliLikelihood, BernoulliSpec
from vaekit.likelihoods.categorical import CategoricalLikelihood, CategoricalSpec
from vaekit.likelihoods.discretized_logistic import (
    DiscretizedLogistic,
    DiscretizedLogisticLikelihood,
    DiscretizedLogisticSpec,
)
from vaekit.likelihoods.gaussian import (
    FixedScaleGaussianLikelihood,
    GaussianSpec,
    LearnedScaleGaussianLikelihood,
    PredictedScaleGaussianLikelihood,
)
from vaekit.likelihoods.likelihood import Likelihood, ValueRange
from vaekit.likelihoods.optimal_scale_gaussian import OptimalScaleGaussianLikelihood

LikelihoodSpec: TypeAlias = Annotated[
    BernoulliSpec | GaussianSpec | DiscretizedLogisticSpec | CategoricalSpec,
    Field(discriminator="kind"),
]

__all__ = [
    "BernoulliLikelihood",
    "BernoulliSpec",
    "CategoricalLikelihood",
    "CategoricalSpec",
    "DiscretizedLogistic",
    "DiscretizedLogisticLikelihood",
    "DiscretizedLogisticSpec",
    "FixedScaleGaussianLikelihood",
    "GaussianSpec",
    "LearnedScaleGaussianLikelihood",
    "Likelihood",
    "LikelihoodSpec",
    "OptimalScaleGaussianLikelihood",
    "PredictedScaleGaussianLikelihood",
    "ValueRange",
]
