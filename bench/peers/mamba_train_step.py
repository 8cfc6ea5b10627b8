"""Training step of a small Mamba language model in PyTorch, for bench/train-step.mjs.

Two forms with the same weights and batch: transformers' MambaForCausalLM on its slow path, and an eager
model whose scan walks over `unbind` (indexing with [:, :, i] would make its backward quadratic in L).
Reads a Hugging Face folder and a raw int32 batch, prints one JSON object on stdout.
"""

import argparse
import json
import time

import numpy as np
import torch
import torch.nn.functional as F
from safetensors.torch import load_file


def scan_unbind(u, delta, A, B, C, D):
    """Selective scan, u and delta (B, L, D), A (D, N), B and C (B, L, N)."""
    delta_a = torch.exp(delta.unsqueeze(-1) * A)
    delta_bu = (delta * u).unsqueeze(-1) * B.unsqueeze(2)
    h = torch.zeros_like(delta_bu[:, 0])
    ys = []
    for a_t, b_t, c_t in zip(delta_a.unbind(1), delta_bu.unbind(1), C.unbind(1)):
        h = a_t * h + b_t
        ys.append((h @ c_t.unsqueeze(-1)).squeeze(-1))
    return torch.stack(ys, 1) + u * D


class EagerMamba(torch.nn.Module):
    """The study's model written out in plain operations, tied head."""

    def __init__(self, weights, config):
        super().__init__()
        self.config = config
        self.w = torch.nn.ParameterDict({k.replace(".", "/"): torch.nn.Parameter(v) for k, v in weights.items()})

    def get(self, name):
        return self.w[name.replace(".", "/")]

    def norm(self, x, name):
        scale = torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + self.config["layer_norm_epsilon"])
        return x * scale * self.get(name)

    def mixer(self, x, prefix):
        get = lambda name: self.get(prefix + name)
        rank, n = self.config["time_step_rank"], self.config["state_size"]
        xz = F.linear(x, get("in_proj.weight"))
        u, z = xz.chunk(2, -1)
        weight = get("conv1d.weight")
        u = F.conv1d(u.transpose(1, 2), weight, get("conv1d.bias"), padding=weight.shape[-1] - 1, groups=weight.shape[0])
        u = F.silu(u[..., : x.shape[1]].transpose(1, 2))
        dt, B, C = F.linear(u, get("x_proj.weight")).split([rank, n, n], -1)
        delta = F.softplus(F.linear(dt, get("dt_proj.weight"), get("dt_proj.bias")))
        y = scan_unbind(u, delta, -torch.exp(get("A_log")), B, C, get("D"))
        return F.linear(y * F.silu(z), get("out_proj.weight"))

    def forward(self, ids):
        x = F.embedding(ids, self.get("backbone.embeddings.weight"))
        for i in range(self.config["num_hidden_layers"]):
            prefix = f"backbone.layers.{i}."
            x = x + self.mixer(self.norm(x, prefix + "norm.weight"), prefix + "mixer.")
        return F.linear(self.norm(x, "backbone.norm_f.weight"), self.get("backbone.embeddings.weight"))


def transformers_model(folder):
    from transformers import MambaConfig, MambaForCausalLM
    from transformers.utils import logging

    logging.set_verbosity_error()
    config = MambaConfig.from_pretrained(folder)
    config.use_mambapy = False
    model = MambaForCausalLM(config)
    weights = load_file(folder + "/model.safetensors")
    missing, unexpected = model.load_state_dict(weights, strict=False)
    assert not unexpected and set(missing) <= {"lm_head.weight"}, (missing, unexpected)
    model.tie_weights()
    model.train()
    return model, lambda ids: model(input_ids=ids, use_cache=False).logits


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("folder")
    parser.add_argument("--batch-file", required=True, help="int32: inputs then targets, each batch x length")
    parser.add_argument("--batch", type=int, required=True)
    parser.add_argument("--length", type=int, required=True)
    parser.add_argument("--form", choices=["transformers", "eager"], required=True)
    parser.add_argument("--steps", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)

    numbers = torch.from_numpy(np.fromfile(args.batch_file, dtype=np.int32).astype(np.int64))
    ids, targets = numbers.view(2, args.batch, args.length)
    if args.form == "eager":
        config = json.load(open(args.folder + "/config.json"))
        model = EagerMamba(load_file(args.folder + "/model.safetensors"), config)
        forward = model
    else:
        model, forward = transformers_model(args.folder)
    parameters = list(model.parameters())
    optimizer = torch.optim.AdamW(parameters, lr=1e-3, weight_decay=0.01)

    losses, norms, times = [], [], []
    for _ in range(args.steps + 1):
        start = time.perf_counter()
        optimizer.zero_grad(set_to_none=True)
        logits = forward(ids)
        loss = F.cross_entropy(logits.view(-1, logits.shape[-1]), targets.reshape(-1))
        loss.backward()
        norm = torch.nn.utils.clip_grad_norm_(parameters, float("inf"))
        optimizer.step()
        losses.append(loss.item())
        norms.append(norm.item())
        times.append((time.perf_counter() - start) * 1e3)
    print(json.dumps({
        "form": args.form, "torch": torch.__version__, "threads": torch.get_num_threads(),
        "firstLoss": losses[0], "firstGradNorm": norms[0], "losses": losses, "ms": times[1:],
    }))


main()
