import time, torch, sys

torch.set_num_threads(1)
from vaekit.recipes import Recipe
from vaekit.runs import assemble
from vaekit.data import Batches
from vaekit.training import Training, TrainingData, resolve

for obj in ("elbo", "wake_sleep"):
    for prec in ("float32", "bfloat16"):
        for opt in ("adagrad",):
            mlp = dict(kind="mlp", hidden=[500], activation="tanh")
            r = Recipe.model_validate(
                dict(
                    name="x",
                    data=dict(kind="mnist", split="60000/-/10000"),
                    transform=dict(kind="binarize", protocol="dynamic"),
                    model=dict(kind="vae", latent_dim=20, encoder=mlp, decoder=mlp),
                    objective=dict(kind=obj),
                    training=dict(
                        epochs=1,
                        batch_size=100,
                        optimizer=dict(kind=opt, learning_rate=0.02),
                        ema_decay=0.0,
                        device="cpu",
                        precision=prec,
                        threads=1,
                    ),
                )
            )
            r = r.model_copy(update={"training": resolve(r.training)})
            a = assemble(r)
            t = Training(
                a.model,
                a.objective,
                TrainingData(Batches(a.dataset.split("train"), 100, 0, "cpu"), a.transform),
                r.training,
                0,
            )
            s = time.time()
            p0 = time.process_time()
            t.run(until=300)
            print(
                obj,
                prec,
                opt,
                (time.time() - s) / 300 * 1000,
                "ms/update",
                "cpu",
                (time.process_time() - p0) / 300 * 1000,
                t.progress.step,
            )
