"""Names, units and meanings of what the results hold."""

from typing import NamedTuple

from vaekit.figures.style import MINUS


class Measure(NamedTuple):
    """How one number of the results is shown."""

    key: str
    name: str
    unit: str
    meaning: str
    decimals: int = 2
    sign: int = 1
    error: str = ""
    """Key of its standard error."""


_NATS = "nats"
SUMMARY = (
    Measure(
        "nll_nats",
        "Negative log-likelihood",
        _NATS,
        "How surprised the model is by an example. Lower is better.",
        error="nll_standard_error_nats",
    ),
    Measure(
        "elbo_nats",
        f"{MINUS}ELBO",
        _NATS,
        "The upper bound of the negative log-likelihood that training brings down: "
        "reconstruction plus KL.",
        sign=-1,
        error="elbo_standard_error_nats",
    ),
    Measure(
        "expected_log_likelihood_nats",
        "Reconstruction",
        _NATS,
        f"{MINUS}E[log p(x|z)]: what it costs to describe an example once its code is known.",
        sign=-1,
    ),
    Measure(
        "kl_nats",
        "KL",
        _NATS,
        "KL(q(z|x) ‖ p(z)): what it costs to describe the code itself.",
    ),
    Measure(
        "accuracy",
        "Accuracy of the class",
        "",
        "How often the class that the model finds most probable is the label, which it is not "
        "shown.",
        decimals=4,
        error="accuracy_standard_error",
    ),
    Measure(
        "active_units",
        "Active units",
        "dimensions",
        "Dimensions of the code that change from example to example; the others carry nothing.",
        decimals=0,
    ),
    Measure(
        "mse",
        "Mean squared error",
        "per value",
        "Squared difference of a raw example and its reconstruction, the range of the values "
        "scaled to 1. Lower is better.",
        decimals=5,
    ),
    Measure(
        "psnr_db",
        "PSNR",
        "dB",
        "The same error in decibels. Higher is better.",
    ),
    Measure(
        "bits_per_dim",
        "Bits per dimension",
        "bits",
        "The negative log-likelihood per value of an example, as a code length.",
        decimals=3,
    ),
)
_OF_TRAIN = "As many training examples in the place of the samples: what to compare with."
_DISTANCE = "Of samples from the data, in features of a classifier of that data."
_SAMPLE_QUALITY = (
    Measure("mnist_fid", "mnist_fid", "", f"{_DISTANCE} Not comparable with FID."),
    Measure("mnist_fid_floor", "Floor of mnist_fid", "", _OF_TRAIN),
    Measure("frechet_distance", "Frechet distance", "", _DISTANCE),
    Measure("frechet_distance_floor", "Floor of the Frechet distance", "", _OF_TRAIN),
    Measure(
        "sample_precision",
        "Precision of samples",
        "",
        "Share of samples that lie among the data.",
        decimals=3,
    ),
    Measure(
        "sample_recall",
        "Recall of samples",
        "",
        "Share of the data that lies among samples.",
        decimals=3,
    ),
    Measure(
        "sample_precision_of_train", "Precision of training examples", "", _OF_TRAIN, decimals=3
    ),
    Measure("sample_recall_of_train", "Recall of training examples", "", _OF_TRAIN, decimals=3),
    Measure(
        "class_coverage",
        "Class coverage of samples",
        "",
        "Over how many of the classes they spread, as a share of all.",
        decimals=3,
    ),
    Measure("class_coverage_data", "Class coverage of the data", "", "", decimals=3),
    Measure(
        "classifier_accuracy",
        "Accuracy of the classifier",
        "",
        "Of the one whose features samples are compared in.",
        decimals=4,
    ),
)
_DISENTANGLEMENT = (
    Measure(
        "mig",
        "Mutual information gap",
        "",
        "How much more the best dimension tells of a factor than the second best, from 0 to 1.",
        decimals=3,
    ),
    Measure(
        "sap",
        "Separated attribute predictability",
        "",
        "How much better the best dimension predicts a factor than the second best.",
        decimals=3,
    ),
    Measure(
        "dci_disentanglement",
        "DCI disentanglement",
        "",
        "Whether each dimension serves one factor, from 0 to 1.",
        decimals=3,
    ),
    Measure(
        "dci_completeness",
        "DCI completeness",
        "",
        "Whether each factor is served by one dimension, from 0 to 1.",
        decimals=3,
    ),
    Measure(
        "dci_informativeness",
        "DCI informativeness",
        "",
        "Accuracy of the factors that a random forest finds from codes.",
        decimals=3,
    ),
    Measure(
        "factor_vae_score",
        "FactorVAE score",
        "",
        "How often the dimension that rests tells which factor was held.",
        decimals=3,
    ),
)
FURTHER = (
    Measure("pca_mse", "Mean squared error of PCA", "per value", "", decimals=5),
    Measure("effective_sample_size", "Effective sample size", "samples", "", decimals=1),
    Measure(
        "amortization_gap_nats",
        "Amortization gap",
        _NATS,
        "What the encoder loses against a posterior fitted to each example alone.",
        error="amortization_gap_standard_error_nats",
    ),
    Measure(
        "compression_ratio",
        "Compression ratio",
        "",
        "Numbers of an example for each number of its code.",
    ),
    Measure("latent_mean", "Mean of codes", "", "Of draws of q(z), all dimensions together."),
    Measure(
        "latent_stddev",
        "Standard deviation of codes",
        "",
        "Of the same: what a generator of codes divides them by.",
    ),
    Measure(
        "hoyer_sparsity",
        "Hoyer sparsity of codes",
        "",
        "Whether an example uses few of the active dimensions, from 0 to 1; Gaussian codes: 0.2.",
        decimals=3,
    ),
    Measure(
        "mutual_information_nats",
        "Mutual information I(x; z)",
        "nats",
        "What a code tells of its example.",
    ),
    Measure(
        "aggregate_kl_nats",
        "Aggregate KL(q(z) ‖ p(z))",
        "nats",
        "How far the codes of all examples together are from the prior.",
    ),
    Measure("code_perplexity", "Perplexity of the codes", "classes", "", decimals=1),
    Measure(
        "sharpness_data",
        "Sharpness of the data",
        "",
        "Variance behind a Laplace filter.",
        decimals=4,
    ),
    Measure(
        "sharpness_reconstructions",
        "Sharpness of reconstructions",
        "",
        "Its ratio to that of the data counts.",
        decimals=4,
    ),
    Measure(
        "sharpness_samples",
        "Sharpness of samples",
        "",
        "Its ratio to that of the data counts.",
        decimals=4,
    ),
    *_SAMPLE_QUALITY,
    *_DISENTANGLEMENT,
)
ANNEALED = (
    Measure(
        "ais_nll_nats",
        "Negative log-likelihood by AIS",
        _NATS,
        "Annealed importance sampling: an estimate that does not lean on the encoder.",
        error="ais_nll_standard_error_nats",
    ),
    Measure(
        "ais_importance_sampled_nll_nats",
        "The same examples by importance sampling",
        _NATS,
        "For comparison with the line above.",
    ),
    Measure(
        "ais_sandwich_nats",
        "Width of the sandwich",
        _NATS,
        "Between a lower and an upper estimate on examples that the model made up: how far AIS "
        "may be off.",
    ),
    Measure("ais_acceptance_rate", "Acceptance rate", "", "Of the moves of the chains."),
)
