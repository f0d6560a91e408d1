"""`card.md`: what a model hub shows, and what a colleague reads before using a model.

YAML on top, in the form that model hubs read (JSON values are YAML values), then Markdown. Every
sentence follows from a fact of the artifact; what is not known is left out.
"""

import json
import math
from collections.abc import Iterator, Mapping
from typing import Any, Final

from vaekit.artifacts import Document, Serving
from vaekit.schema import protocol_in_words

Facts = Mapping[str, Any]

MEASURES: Final = {
    "nll_nats": ("nll", "negative log-likelihood, nats per example"),
    "elbo_nats": ("elbo", "ELBO, a lower bound on log p(x), nats per example"),
    "expected_log_likelihood_nats": ("expected_log_likelihood", "E_q[log p(x\\|z)], nats"),
    "kl_nats": ("kl", "KL(q(z\\|x) \\|\\| p(z)), nats per example"),
    "accuracy": ("accuracy", "share of examples whose class is found, label unseen"),
    "bits_per_dim": ("bits_per_dim", "bits per dimension"),
    "active_units": ("active_units", "latent dimensions in use"),
    "effective_sample_size": ("effective_sample_size", "effective sample size of the k samples"),
    "mse": ("mse", "mean squared error of reconstructions"),
    "psnr_db": ("psnr", "peak signal-to-noise ratio of reconstructions, dB"),
}
"""What the table and the hub show, of what was measured: key, hub's name, words."""

FILES: Final = """\
| File | What is in it |
| --- | --- |
| `model.safetensors` | weights of the model, buffers of the transform |
| `recipe.json` | every choice of the training run |
| `serving.json` | form of the data, inputs, outputs, transform, seeds: what a server must know |
| `reference.json` | scores and codes of held-out examples, for thresholds and drift |
| `metrics.json` | all that was measured, with its protocol |
| `data.json` | form, splits, source and fingerprint of the data |
| `provenance.json` | versions, git state, machine |
| `SHA256SUMS` | hashes of all of these |
"""

VERIFY: Final = """\
`vaekit artifact verify PATH` checks every file, and with `--key KEY.pub` the signature, if the \
folder holds `SHA256SUMS.sig`. Without vaekit: `sha256sum --check SHA256SUMS` in the folder. \
Loading verifies too, and reads no pickle.
"""


def card(
    serving: Serving, recipe: Document, data: Document, results: Facts, provenance: Facts
) -> str:
    """The whole card."""
    sections = {
        "Model": _model(serving, recipe),
        "Use": _use(serving),
        "Limits": _limits(serving, recipe, data),
        "Training data": _data(data),
        "Training": _training(recipe, provenance),
        "Results": _results(results),
        "Load it": _load(serving),
        "Files": FILES,
        "Verify it": VERIFY,
    }
    body = "\n".join(f"## {title}\n\n{text.strip()}\n" for title, text in sections.items())
    head = "\n".join(_front_matter(serving, data, results))
    title = serving.description or f"A {_words(serving.model_kind)} of {data['name']}."
    return f"---\n{head}\n---\n\n# {serving.name}\n\n{title}\n\n{body}"


def _front_matter(serving: Serving, data: Document, results: Facts) -> Iterator[str]:
    """Lines of YAML. The licence of the weights is for whoever publishes them to state."""
    task = _task(serving)
    yield "library_name: vaekit"
    yield f"pipeline_tag: {task}"
    tags = ["variational-autoencoder" if serving.has_density else "autoencoder", "vaekit"]
    yield f"tags: {_json([*tags, serving.form.kind])}"
    yield f"datasets: {_json([data['name']])}"
    reported = [key for key in ("nll_nats", "elbo_nats", "mse") if _number(results, key)]
    if not reported:
        return
    yield f"metrics: {_json([MEASURES[key][0] for key in reported])}"
    metrics = [
        {"type": MEASURES[key][0], "value": results[key], "name": _plain(MEASURES[key][1])}
        for key in reported
    ]
    dataset = {"name": data["name"], "type": data["name"], "split": results.get("split")}
    result = {"task": {"type": task}, "dataset": dataset, "metrics": metrics}
    yield "model-index:"
    yield f"  - {_json({'name': serving.name, 'results': [result]})}"


def _model(serving: Serving, recipe: Document) -> str:
    model = recipe["model"]
    rows = {
        "kind": _words(serving.model_kind),
        "latent dimensions": serving.latent_dim,
        "weights": f"{serving.parameters:,}",
        "encoder": _choice(model.get("encoder")),
        "decoder": _choice(model.get("decoder")),
        "likelihood p(x\\|z)": _choice(model.get("likelihood")),
        "prior p(z)": _choice(model.get("prior")) if serving.has_density else None,
        "posterior q(z\\|x)": _choice(model.get("posterior")) if serving.has_density else None,
        "input": f"{_shape(serving)}, {serving.form.dtype}{_range(serving)}",
        "conditions": ", ".join(condition.in_words for condition in serving.conditions) or None,
        "transform": f"{_words(serving.transform.kind)} (protocol {serving.transform.protocol})",
        "objective": _choice(recipe["objective"]),
    }
    return _table(rows)


def _use(serving: Serving) -> str:
    uses = [
        "codes of examples (`encode`) and what codes stand for (`decode`)",
        "reconstructions",
        "scores of how well the model accounts for an example, next to `reference.json`",
    ]
    if serving.has_density:
        paths = "" if serving.is_discrete else ", and paths between and around examples"
        uses.append(f"new examples (`sample`){paths}")
    listed = "\n".join(f"- {use};" for use in uses).rstrip(";") + "."
    return f"For data of the form above, from the same source:\n\n{listed}"


def _limits(serving: Serving, recipe: Document, data: Document) -> str:
    limits = [
        f"It knows {data['name']} and nothing else. Other data of the same shape is encoded, "
        "reconstructed and scored without complaint, and those answers mean nothing.",
        "A high likelihood does not make an example normal: deep generative models give simple "
        "examples of foreign data high likelihoods. Compare scores with `reference.json`, and "
        "validate any threshold on labelled cases of your own.",
        "It is not made for decisions about people, and has not been checked for bias.",
    ]
    if serving.has_density:
        limits.append("Samples are means of p(x|z); they are inventions, not records.")
    likelihood = recipe["model"].get("likelihood", {}).get("kind")
    if likelihood == "bernoulli" and serving.transform.protocol == "none":
        limits.append(
            "Grey values under a Bernoulli likelihood give a cross-entropy, which is no "
            "likelihood: its numbers compare with no published log-likelihood."
        )
    if serving.transform.is_random or serving.transform.protocol == "static":
        limits.append(
            "Training and `metrics.json` draw random values from each example "
            f"({serving.transform.protocol}); `score` shows the model their expectation, so that "
            "its numbers are repeatable, and differ from those in `metrics.json`."
        )
    if not serving.has_density:
        limits.append("It has no prior: it cannot sample, and gives no likelihood of x.")
    return "\n".join(f"- {limit}" for limit in limits)


def _data(data: Document) -> str:
    sizes = ", ".join(f"{name} {size:,}" for name, size in data["splits"].items())
    return _table(
        {
            "name": data["name"],
            "source": data["source"],
            "licence": data["licence"],
            "split": f"{data['split_name']} ({sizes}); weights were fitted to train alone",
            "fingerprint": f"`{data['fingerprint']}`",
        }
    )


def _training(recipe: Document, provenance: Facts) -> str:
    training, git = recipe["training"], provenance.get("git") or {}
    changed = ", with changes" if git.get("has_changes") else ""
    return _table(
        {
            "epochs, at most": training.get("epochs"),
            "batch size": training.get("batch_size"),
            "optimizer": _choice(training.get("optimizer")),
            "precision, device": f"{training.get('precision')}, {training.get('device')}",
            "seed": recipe["seed"],
            "started": provenance.get("started"),
            "vaekit": provenance.get("vaekit"),
            "git": f"{git['commit']}{changed}" if git.get("commit") else None,
        }
    )


def _results(results: Facts) -> str:
    rows = {words: _number(results, key) for key, (_, words) in MEASURES.items()}
    if not any(rows.values()):
        return "The model was not measured."
    protocol = (
        f"{results.get('split')} split, {results.get('examples'):,} examples"
        if isinstance(results.get("examples"), int)
        else f"{results.get('split')} split"
    )
    k = results.get("num_samples")
    parts = [
        protocol,
        protocol_in_words(results["binarization"]) if "binarization" in results else None,
        f"k = {k} importance samples" if k else None,
        f"seed {results['seed']}" if "seed" in results else None,
        "± is the standard error over examples",
    ]
    notes = "\n".join(f"- {note}" for note in results.get("notes") or [])
    return f"{_table(rows)}\n{', '.join(filter(None, parts))}.\n\n{notes}".strip()


def _load(serving: Serving) -> str:
    needed = (condition for condition in serving.conditions if not condition.optional)
    told = {condition.name: condition.example for condition in needed}
    more = f", condition={told}" if told else ""
    last = (
        f"model.sample(16, seed=0{more})" if serving.has_density else f"model.reconstruct(x{more})"
    )
    return (
        "```python\nimport vaekit\n\n"
        'model = vaekit.load("path/of/this/folder")\n'
        f"z, scores = model.encode(x{more}), model.score(x{more})  # x: {_shape(serving)}, "
        f"{serving.form.dtype}\n"
        f"{last}\n```\n\n"
        "`vaekit encode`, `score`, `sample`, `reconstruct`, ... do the same in a shell."
    )


# -- words -----------------------------------------------------------------------------------


def _table(rows: Mapping[str, object]) -> str:
    lines = [f"| {name} | {value} |" for name, value in rows.items() if value is not None]
    return "\n".join(["| | |", "| --- | --- |", *lines]) + "\n"


def _choice(spec: object) -> str | None:
    """A part of a recipe in a few words."""
    if not isinstance(spec, Mapping):
        return None
    settings = [
        f"{_words(key)} {_setting(value)}"
        for key, value in spec.items()
        if key != "kind" and value is not None and not isinstance(value, Mapping)
    ]
    kind = _words(str(spec.get("kind", "")))
    return f"{kind} ({', '.join(settings)})" if settings else kind


def _setting(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)


def _number(results: Facts, key: str) -> str | None:
    value, error = results.get(key), results.get(key.replace("_nats", "_standard_error_nats"))
    if not isinstance(value, int | float) or not math.isfinite(value):
        return None
    text = f"{value:.4g}" if abs(value) < 1 else f"{value:.2f}" if value % 1 else f"{value:g}"
    spread = isinstance(error, float) and key != error and "standard_error" not in key
    return f"{text} ± {error:.2f}" if spread and key.endswith("_nats") else text


def _task(serving: Serving) -> str:
    makes_images = serving.has_density and serving.form.kind == "image"
    return "unconditional-image-generation" if makes_images else "feature-extraction"


def _shape(serving: Serving) -> str:
    return f"(examples, {', '.join(map(str, serving.form.event_shape))})"


def _range(serving: Serving) -> str:
    low, high = serving.form.low, serving.form.high
    return "" if low is None or high is None else f", {low:g} to {high:g}"


def _words(name: str) -> str:
    return name.replace("_", " ")


def _plain(text: str) -> str:
    return text.replace("\\|", "|")


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)
