"""JAX on the CPU, jitted: `lax.scan` step by step, `lax.associative_scan` in parallel."""

import json
import os

from case import arguments, best_seconds, error_of, report

threads, cases = arguments()
# Read when the CPU client starts, with the first array.
os.environ["XLA_FLAGS"] = f"--xla_cpu_multi_thread_eigen={'true' if threads > 1 else 'false'}"
os.environ["JAX_PLATFORMS"] = "cpu"

import jax  # noqa: E402
import jax.numpy as jnp  # noqa: E402


def scan_parts(a):
    delta = jax.nn.softplus(a["delta"] + a["deltaBias"])
    return jnp.exp(delta[..., None] * a["A"]), (delta * a["u"])[..., None] * a["B"][:, :, None]


def scan_end(a, y):
    return (y + a["u"] * a["D"]) * jax.nn.silu(a["z"])


def scan_steps(a):
    delta = jax.nn.softplus(a["delta"] + a["deltaBias"])

    def step(h, at):
        delta_t, u, b, c = at
        h = jnp.exp(delta_t[..., None] * a["A"]) * h + (delta_t * u)[..., None] * b[:, None]
        return h, jnp.einsum("bdn,bn->bd", h, c)

    by_time = [jnp.moveaxis(t, 1, 0) for t in (delta, a["u"], a["B"], a["C"])]
    start = jnp.zeros((delta.shape[0], *a["A"].shape), jnp.float32)
    _, y = jax.lax.scan(step, start, tuple(by_time))
    return scan_end(a, jnp.moveaxis(y, 0, 1))


def scan_parallel(a):
    def combine(left, right):
        return left[0] * right[0], right[0] * left[1] + right[1]

    _, states = jax.lax.associative_scan(combine, scan_parts(a), axis=1)
    return scan_end(a, jnp.einsum("bldn,bln->bld", states, a["C"]))


def conv_taps(a):
    width = a["weight"].shape[1]
    x = jnp.pad(a["x"], ((0, 0), (width - 1, 0), (0, 0)))
    length = a["x"].shape[1]
    taps = sum(x[:, w : w + length] * a["weight"][:, w] for w in range(width))
    return jax.nn.silu(taps + a["bias"])


def conv_operation(a):
    width, dim = a["weight"].shape[1], a["weight"].shape[0]
    y = jax.lax.conv_general_dilated(
        a["x"],
        a["weight"].T[:, None],
        (1,),
        [(width - 1, 0)],
        dimension_numbers=("NWC", "WIO", "NWC"),
        feature_group_count=dim,
    )
    return jax.nn.silu(y + a["bias"])


FORMS = {
    "selective-scan": {"JAX lax.scan": scan_steps, "JAX associative_scan": scan_parallel},
    "causal-conv1d": {"JAX taps": conv_taps, "JAX convolution": conv_operation},
    "gemm": {"JAX": lambda a: a["a"] @ a["b"]},
}


def measure(case, name, function):
    arrays = {key: jnp.asarray(value) for key, value in case.arrays.items()}
    forward = jax.jit(function)
    error = error_of(forward(arrays), case.out)
    report(case, name, "forward", best_seconds(lambda: forward(arrays).block_until_ready()), error)
    if case.checked is None:
        return
    gradients = jax.jit(jax.value_and_grad(lambda a: function(a).sum()))
    error = error_of(gradients(arrays)[1][case.checked], case.gradient)
    report(case, name, "training", best_seconds(lambda: jax.block_until_ready(gradients(arrays))), error)


print(json.dumps({"versions": {"JAX": jax.__version__}}))
for one in cases:
    for form, function in FORMS.get(one.family, {}).items():
        measure(one, form, function)
