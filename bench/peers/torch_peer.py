"""PyTorch on the CPU: eager, compiled, and mamba.py's parallel scan where it can be imported."""

import json

import torch
import torch.nn.functional as F

from case import arguments, best_seconds, error_of, report

try:
    from mambapy.pscan import pscan
except ImportError:
    pscan = None


def scan_parts(a):
    """Step sizes, decays (B, L, D, N) and inputs (B, L, D, N)."""
    delta = F.softplus(a["delta"] + a["deltaBias"])
    decay = torch.exp(delta.unsqueeze(-1) * a["A"])
    driven = (delta * a["u"]).unsqueeze(-1) * a["B"].unsqueeze(2)
    return decay, driven


def scan_end(a, y):
    """Skip and gate."""
    return (y + a["u"] * a["D"]) * F.silu(a["z"])


def scan_loop(a):
    """One step after another; `unbind`, since indexing makes the backward pass quadratic in the length."""
    decay, driven = scan_parts(a)
    h, outs = torch.zeros_like(decay[:, 0]), []
    for d, x, c in zip(decay.unbind(1), driven.unbind(1), a["C"].unbind(1)):
        h = d * h + x
        outs.append((h @ c.unsqueeze(-1)).squeeze(-1))
    return scan_end(a, torch.stack(outs, 1))


def scan_parallel(a):
    """mamba.py: Blelloch's scan over the length."""
    decay, driven = scan_parts(a)
    states = pscan(decay, driven)
    return scan_end(a, (states @ a["C"].unsqueeze(-1)).squeeze(-1))


def conv(a):
    width = a["weight"].shape[1]
    x = F.pad(a["x"].transpose(1, 2), (width - 1, 0))
    return F.silu(F.conv1d(x, a["weight"].unsqueeze(1), a["bias"], groups=x.shape[1])).transpose(1, 2)


def ssd(a, chunk=64):
    """SSD by chunks: masked attention inside, a scan over chunk states between."""
    batch, length, heads, head_dim = a["x"].shape
    dt = F.softplus(a["dt"] + a["dtBias"])
    blocks = length // chunk
    x = (a["x"] * dt.unsqueeze(-1)).view(batch, blocks, chunk, heads, head_dim)
    log_decay = (dt * a["A"]).view(batch, blocks, chunk, heads).permute(0, 3, 1, 2)
    B = a["B"].view(batch, blocks, chunk, -1)
    C = a["C"].view(batch, blocks, chunk, -1)
    sums = log_decay.cumsum(-1)
    mask = torch.ones(chunk, chunk, dtype=torch.bool).tril()
    inside = torch.exp((sums.unsqueeze(-1) - sums.unsqueeze(-2)).masked_fill(~mask, -torch.inf))
    scores = torch.einsum("bcln,bcsn->bcls", C, B)
    y = torch.einsum("bcls,bhcls,bcshp->bclhp", scores, inside, x)
    states = torch.einsum("bcsn,bhcs,bcshp->bchpn", B, torch.exp(sums[..., -1:] - sums), x)
    h, before = torch.zeros_like(states[:, 0]), []
    for state, total in zip(states.unbind(1), sums[..., -1].unbind(-1)):
        before.append(h)
        h = torch.exp(total)[..., None, None] * h + state
    y = y + torch.einsum("bcln,bchpn,bhcl->bclhp", C, torch.stack(before, 1), torch.exp(sums))
    return y.reshape(a["x"].shape) + a["D"].unsqueeze(-1) * a["x"]


def contenders(case):
    """Name and function of each contender of a case."""
    if case.family == "selective-scan":
        if case.shape["seqLen"] <= 128:
            # Longer loops take the compiler minutes: it unrolls them.
            yield "PyTorch compiled", torch.compile(scan_loop)
        yield "PyTorch eager", scan_loop
        if pscan is not None:
            yield "mamba.py parallel scan", scan_parallel
    elif case.family == "causal-conv1d":
        yield "PyTorch eager", conv
        yield "PyTorch compiled", torch.compile(conv)
    elif case.family == "ssd-chunk-scan":
        yield "PyTorch eager", ssd
        yield "PyTorch compiled", torch.compile(ssd)
    else:
        yield "PyTorch eager", lambda a: a["a"] @ a["b"]


def measure(case, name, function):
    arrays = {key: torch.from_numpy(value.copy()) for key, value in case.arrays.items()}
    with torch.no_grad():
        error = error_of(function(arrays).numpy(), case.out)
        report(case, name, "forward", best_seconds(lambda: function(arrays)), error)
    if case.checked is None:
        return
    for array in arrays.values():
        array.requires_grad_()

    def training():
        for array in arrays.values():
            array.grad = None
        function(arrays).sum().backward()

    training()
    error = error_of(arrays[case.checked].grad.numpy(), case.gradient)
    report(case, name, "training", best_seconds(training), error)


def main():
    threads, cases = arguments()
    torch.set_num_threads(threads)
    print(json.dumps({"versions": {"PyTorch": torch.__version__}}))
    for case in cases:
        for name, function in contenders(case):
            measure(case, name, function)


main()
