import time, torch

torch.set_num_threads(1)


def t(f, n=50):
    f()
    p = time.process_time()
    for _ in range(n):
        f()
    return (time.process_time() - p) / n * 1e3


a = torch.randn(100, 784)
w = torch.randn(500, 784)
print("mm", t(lambda: a @ w.T))
from vaekit.numerics import fast_float32_products

with fast_float32_products():
    print("mm onednn", t(lambda: a @ w.T))
ab, wb = a.bfloat16(), w.bfloat16()
print("mm bf16", t(lambda: ab @ wb.T))
h = torch.randn(100, 500)
print("grad mm", t(lambda: h.T @ a))
print(
    "bern",
    t(lambda: torch.bernoulli(torch.full((100, 784), 0.3))),
    "rand",
    t(lambda: torch.rand(100, 784)),
    "softplus",
    t(lambda: torch.nn.functional.softplus(a)),
    "tanh",
    t(lambda: torch.tanh(h)),
)
ps = [torch.randn(500, 784) for _ in range(2)]
print("ew", t(lambda: torch._foreach_sqrt(ps)), t(lambda: torch._foreach_addcmul_(ps, ps, ps)))
