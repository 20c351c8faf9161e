"""The reference model in PyTorch: steps. Called by scripts/bench_peers.py.

The loop is the shortest that trains: batches are cut from tensors in memory, no loss is read back, and numbers too small
for a normal float are flushed to zero. `sdpa` has the attention as one call of the library's fused kernel.
"""

import time

import measuring

VERSIONS = measuring.need("torch", "numpy")

import torch
import torch.nn.functional as F

# Attention in one call, the fused optimizer, and compilation.
FORMS = {
    "eager": (False, False, False),
    "fused": (False, True, False),
    "compile": (False, True, True),
    "sdpa": (True, True, False),
    "sdpa_compile": (True, True, True),
}


class Reference(torch.nn.Module):
    def __init__(self, vocab_size, dim, sdpa):
        super().__init__()
        self.embedding = torch.nn.Embedding(vocab_size, dim)
        torch.nn.init.uniform_(self.embedding.weight, -0.05, 0.05)
        self.head = torch.nn.Linear(dim, 1)
        self.sdpa = sdpa

    def forward(self, ids):
        embedded = self.embedding(ids)
        if self.sdpa:
            heads = embedded.unsqueeze(1)
            attended = F.scaled_dot_product_attention(heads, heads, heads, scale=1.0).squeeze(1)
        else:
            attended = (embedded @ embedded.transpose(1, 2)).softmax(-1) @ embedded
        return self.head(attended.mean(1)).squeeze(1)


def stepper(form, length, dim, batch_size, vocab_size, batches, device):
    """One step on the next batch, and how to wait until it is done."""
    torch.manual_seed(measuring.SEED)
    torch.set_flush_denormal(True)
    sdpa, fused, compiled = FORMS[form]
    model = Reference(vocab_size, dim, sdpa).to(device)
    optimizer = torch.optim.Adam(model.parameters(), fused=fused, eps=1e-7)
    forward = torch.compile(model) if compiled else model
    ids, targets = measuring.drawn(batches * batch_size, length, vocab_size)
    ids, targets = torch.from_numpy(ids).to(device), torch.from_numpy(targets).to(device)
    taken = 0

    def step():
        nonlocal taken
        at = taken % batches * batch_size
        taken += 1
        optimizer.zero_grad(set_to_none=True)
        loss = F.binary_cross_entropy_with_logits(forward(ids[at : at + batch_size]), targets[at : at + batch_size])
        loss.backward()
        optimizer.step()

    sync = torch.cuda.synchronize if device == "cuda" else lambda: None
    return step, sync, sum(weight.numel() for weight in model.parameters())


def train_step(form, length, dim, batch_size, vocab_size, steps, warm_up, block, seconds, threads, device="cpu"):
    torch.set_num_threads(threads)
    step, sync, parameters = stepper(form, length, dim, batch_size, vocab_size, steps, device)
    blocks = measuring.timed_blocks(step, sync, warm_up, block, steps - warm_up, seconds)
    return measuring.summary(blocks, batch_size, parameters=parameters, versions=VERSIONS, device=device)


def start(spawned, form, length, dim, batch_size, vocab_size, threads):
    """Seconds from the start of the process to the first step done, on ids that need no reading."""
    torch.set_num_threads(threads)
    step, sync, _ = stepper(form, length, dim, batch_size, vocab_size, 1, "cpu")
    step()
    sync()
    return {"seconds": time.time() - spawned, "versions": VERSIONS}


if __name__ == "__main__":
    measuring.run({"train_step": train_step, "start": start})
