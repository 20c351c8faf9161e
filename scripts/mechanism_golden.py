#!/usr/bin/env python3
"""Makes crates/model/tests/data/{mechanism,transformer}_golden.json: outputs and gradients of the attention mechanisms.

Keras layers (on JAX) give dot, additive, scaled-dot and multi-head attention, PyTorch's TransformerEncoder gives the
encoder; rotary positions, bidirectional attention and the poolings are written out from their formulas and
differentiated by JAX. All is computed in float64, but for the tanh of Keras, which rounds to float32 on JAX: the cases
with it hold to about 1e-6. The Rust tests follow both files.

The loss is Σ output · upstream. A case with `masked` hides padding as keys and values only: what a mechanism puts
into padding rows is left open (Keras zeroes them when it is given a query mask, pooling hides them anyway), so the
upstream gradient is zero in these rows and the output there is not meant to be compared. `mask` is true for tokens.
PyTorch runs in training mode with dropout 0: its path for inference zeroes padding rows.

    pip install keras==3.15.1 jax torch
    python scripts/mechanism_golden.py
"""

import json
import math
import os
from pathlib import Path

os.environ["KERAS_BACKEND"] = "jax"
os.environ["JAX_PLATFORMS"] = "cpu"
os.environ["JAX_ENABLE_X64"] = "1"

import jax  # noqa: E402  (the backend and its precision are chosen before the imports)
import jax.numpy as jnp  # noqa: E402
import keras  # noqa: E402
import numpy as np  # noqa: E402
import torch  # noqa: E402
from keras import layers  # noqa: E402

keras.config.set_floatx("float64")
DATA = Path(__file__).parent.parent / "crates/model/tests/data"
BATCH, LENGTH, SECOND_LENGTH, DIM = 3, 5, 4, 8
WIDTH, N_HEADS, D_HEAD, N_LAYERS, D_FEED_FORWARD = 6, 2, 4, 2, 12
MASK = np.arange(LENGTH) < np.array([[5], [3], [1]])
SECOND_MASK = np.arange(SECOND_LENGTH) < np.array([[2], [4], [1]])
HIDDEN = -1e9


def linear(name, d_in, d_out):
    return {f"{name}.weight": (d_in, d_out), f"{name}.bias": (d_out,)}


def norm(name):
    return {f"{name}.gamma": (DIM,), f"{name}.beta": (DIM,)}


def draw(rng, *shape, centre=0.0, spread=0.7):
    # Two decimals keep the files short.
    return (centre + rng.normal(size=shape) * spread).round(2)


def draw_weights(rng, shapes, spread=0.7):
    # Weights that multiply alone are drawn around 1, so that none of them silences its part.
    return {
        name: draw(rng, *shape, centre=float(name.endswith(("gamma", "scale", "concat_weight"))), spread=spread)
        for name, shape in shapes.items()
    }


def tensor(values):
    values = np.asarray(values)
    # Seven digits, and nothing beyond the eighth decimal: rounding errors around 0 differ between machines.
    rounded = [round(float(f"{value:.7g}"), 8) + 0.0 for value in values.ravel()]
    return {"shape": values.shape, "values": rounded}


def tensors(values):
    return {name: tensor(value) for name, value in values.items()}


# --- Keras ---


def call(layer, variables, *inputs, **options):
    """What `layer` computes with `variables`, given in the order in which it made its own."""
    assert [v.shape for v in layer.trainable_variables] == [v.shape for v in variables]
    result, _ = layer.stateless_call(variables, [], *inputs, **options)
    return result


def dense(weights, name, x):
    weight, bias = weights[f"{name}.weight"], weights[f"{name}.bias"]
    layer = layers.Dense(weight.shape[1])
    layer.build(x.shape)
    return call(layer, [weight, bias], x)


def keras_attention(layer, variables, query, key, value, mask):
    layer.build([query.shape, value.shape, key.shape])
    options = {} if mask is None else {"mask": [None, mask]}
    output, attention = call(layer, variables, [query, value, key], return_attention_scores=True, **options)
    return output, attention[:, None]


def dot(use_scale, score_mode):
    shapes = {"scale": (1,)} if use_scale else {}
    shapes |= {"concat_weight": (1,)} if score_mode == "concat" else {}

    def forward(weights, x, mask):
        layer = layers.Attention(use_scale=use_scale, score_mode=score_mode)
        # Keras has scalars here, and `shapes` has them in its order.
        return keras_attention(layer, [weights[name][0] for name in shapes], x, x, x, mask)

    return {"dot": {"use_scale": use_scale, "score_mode": score_mode}}, "none", shapes, forward


def additive():
    shapes = linear("query", DIM, WIDTH) | linear("key", DIM, WIDTH) | {"additive_weight": (WIDTH,)}

    def forward(weights, x, mask):
        query, key = dense(weights, "query", x), dense(weights, "key", x)
        layer = layers.AdditiveAttention(use_scale=True)
        return keras_attention(layer, [weights["additive_weight"]], query, key, x, mask)

    return {"additive": {"dim": WIDTH}}, "none", shapes, forward


def scaled_dot():
    shapes = linear("query", DIM, WIDTH) | linear("key", DIM, WIDTH) | linear("value", DIM, WIDTH)

    def forward(weights, x, mask):
        query, key, value = (dense(weights, name, x) for name in ("query", "key", "value"))
        scale = jnp.array(1 / math.sqrt(WIDTH))
        return keras_attention(layers.Attention(use_scale=True), [scale], query, key, value, mask)

    return {"scaled_dot": {"dim": WIDTH}}, "none", shapes, forward


MULTI_HEAD_PARTS = ("query", "key", "value", "output")
MULTI_HEAD_SHAPES = {name: shape for part in MULTI_HEAD_PARTS for name, shape in linear(part, DIM, DIM).items()}


def multi_head():
    def forward(weights, x, mask):
        layer = layers.MultiHeadAttention(N_HEADS, D_HEAD)
        layer.build(x.shape, x.shape)
        # Our name of each variable; Keras keeps the heads on an axis of their own.
        names = {
            variable.path: variable.path.split("/", 1)[1]
            .replace("attention_output", "output")
            .replace("/", ".")
            .replace("kernel", "weight")
            for variable in layer.trainable_variables
        }
        variables = [weights[names[v.path]].reshape(v.shape) for v in layer.trainable_variables]
        options = {} if mask is None else {"attention_mask": jnp.broadcast_to(mask[:, None], (BATCH, LENGTH, LENGTH))}
        return call(layer, variables, x, x, return_attention_scores=True, **options)

    return {"multi_head": {"n_heads": N_HEADS}}, "none", MULTI_HEAD_SHAPES, forward


# --- Written out ---


def attend(query, key, value, scale, mask):
    """softmax(Q Kᵀ · scale) V over the last two axes, with no weight on hidden keys."""
    scores = query @ jnp.swapaxes(key, -1, -2) * scale
    if mask is not None:
        scores += jnp.where(mask, 0, HIDDEN).reshape(BATCH, *[1] * (scores.ndim - 2), -1)
    attention = jax.nn.softmax(scores, axis=-1)
    return attention @ value, attention


def project(weights, name, x):
    return x @ weights[f"{name}.weight"] + weights[f"{name}.bias"]


def turn(x):
    """Rotary positions (Su et al. 2021, eq. 34): the pair (2k, 2k + 1) at position t turns by t · 10000^(−2k/d)."""
    length, d = x.shape[-2:]
    angles = jnp.arange(length)[:, None] * 10_000.0 ** (-jnp.arange(0, d, 2) / d)
    even, odd = x[..., 0::2], x[..., 1::2]
    cos, sin = jnp.cos(angles), jnp.sin(angles)
    return jnp.stack([even * cos - odd * sin, odd * cos + even * sin], axis=-1).reshape(x.shape)


def rotary_scaled_dot():
    config, _, shapes, _ = scaled_dot()

    def forward(weights, x, mask):
        query, key, value = (project(weights, name, x) for name in ("query", "key", "value"))
        output, attention = attend(turn(query), turn(key), value, 1 / math.sqrt(WIDTH), mask)
        return output, attention[:, None]

    return config, "rotary", shapes, forward


def rotary_multi_head():
    def forward(weights, x, mask):
        query, key, value = (
            project(weights, name, x).reshape(BATCH, LENGTH, N_HEADS, D_HEAD).swapaxes(1, 2)
            for name in ("query", "key", "value")
        )
        context, attention = attend(turn(query), turn(key), value, 1 / math.sqrt(D_HEAD), mask)
        return project(weights, "output", context.swapaxes(1, 2).reshape(BATCH, LENGTH, DIM)), attention

    return {"multi_head": {"n_heads": N_HEADS}}, "rotary", MULTI_HEAD_SHAPES, forward


def bidirectional(weights, first, second, mask, second_mask):
    """Each text attends to the other; one linear layer with ReLU compares every token with what it found there."""
    scale = 1 / math.sqrt(DIM)

    def compare(tokens, found):
        together = jnp.concatenate([tokens, found, tokens - found, tokens * found], axis=-1)
        return jax.nn.relu(project(weights, "compare", together))

    of_second, attention = attend(first, second, second, scale, second_mask)
    of_first, second_attention = attend(second, first, first, scale, mask)
    outputs = compare(first, of_second), compare(second, of_first)
    return outputs, (attention[:, None], second_attention[:, None])


def pool(kind, weights, x, mask):
    shown = jnp.ones((BATCH, LENGTH), bool) if mask is None else mask
    if kind == "mean":
        return (x * shown[..., None]).sum(1) / shown.sum(1, keepdims=True), None
    if kind == "max":
        return jnp.where(shown[..., None], x, HIDDEN).max(1), None
    if kind == "first":
        return x[:, 0], None
    attention = jax.nn.softmax(x @ weights["query"] + jnp.where(shown, 0, HIDDEN), axis=-1)
    return (attention[..., None] * x).sum(1), attention


# --- Cases ---


def differentiate(rng, forward, weights, *inputs, masks=()):
    """The outputs of `forward`, its attention, random upstream gradients and what they give, each as a tuple."""

    def outputs(weights, *inputs):
        output, attention = forward(weights, *inputs)
        return (output, attention) if isinstance(output, tuple) else ((output,), (attention,))

    arrays = jax.tree.map(jnp.asarray, (weights, *inputs))
    output, back, attention = jax.vjp(outputs, *arrays, has_aux=True)
    upstream = [draw(rng, *values.shape) for values in output]
    for values, mask in zip(upstream, masks):
        values[~mask] = 0
    weight_gradients, *input_gradients = back(tuple(map(jnp.asarray, upstream)))
    # JAX sorts the names.
    return output, attention, upstream, {name: weight_gradients[name] for name in weights}, input_gradients


def case(rng, mechanism, masked):
    config, positions, shapes, forward = mechanism
    weights, x, mask = draw_weights(rng, shapes), draw(rng, BATCH, LENGTH, DIM), MASK if masked else None
    (output,), (attention,), (upstream,), weight_gradients, (gradient,) = differentiate(
        rng, lambda weights, x: forward(weights, x, mask), weights, x, masks=[MASK] if masked else []
    )
    ((name, options),) = config.items()
    parts = [name, *(f"{key}={value}".lower() for key, value in options.items()), positions]
    return {
        "name": " ".join([*parts, "masked" if masked else "unmasked"]),
        "config": config,
        "positions": positions,
        "masked": masked,
        "input": tensor(x),
        "second": None,
        "mask": MASK.tolist(),
        "weights": tensors(weights),
        "upstream": tensor(upstream),
        "output": tensor(output),
        "attention": tensor(attention),
        "input_gradient": tensor(gradient),
        "weight_gradients": tensors(weight_gradients),
    }


def bidirectional_case(rng, masked):
    weights = draw_weights(rng, linear("compare", 4 * DIM, WIDTH))
    first, second = draw(rng, BATCH, LENGTH, DIM), draw(rng, BATCH, SECOND_LENGTH, DIM)
    masks = (MASK, SECOND_MASK) if masked else (None, None)
    output, attention, upstream, weight_gradients, gradients = differentiate(
        rng, lambda *values: bidirectional(*values, *masks), weights, first, second, masks=masks if masked else []
    )
    return {
        "name": f"bidirectional d_compare={WIDTH} none {'masked' if masked else 'unmasked'}",
        "config": {"bidirectional": {"d_compare": WIDTH}},
        "positions": "none",
        "masked": masked,
        "input": tensor(first),
        "second": tensor(second),
        "mask": MASK.tolist(),
        "second_mask": SECOND_MASK.tolist(),
        "weights": tensors(weights),
        "upstream": tensor(upstream[0]),
        "second_upstream": tensor(upstream[1]),
        "output": tensor(output[0]),
        "second_output": tensor(output[1]),
        "attention": tensor(attention[0]),
        "second_attention": tensor(attention[1]),
        "input_gradient": tensor(gradients[0]),
        "second_gradient": tensor(gradients[1]),
        "weight_gradients": tensors(weight_gradients),
    }


def pooling_case(rng, kind, masked):
    weights = draw_weights(rng, {"query": (DIM,)} if kind == "attention" else {})
    x, mask = draw(rng, BATCH, LENGTH, DIM), MASK if masked else None
    (output,), (attention,), (upstream,), weight_gradients, (gradient,) = differentiate(
        rng, lambda weights, x: pool(kind, weights, x, mask), weights, x
    )
    return {
        "name": f"{kind} {'masked' if masked else 'unmasked'}",
        "config": {"pooling": kind},
        "masked": masked,
        "input": tensor(x),
        "mask": MASK.tolist(),
        "weights": tensors(weights),
        "upstream": tensor(upstream),
        "output": tensor(output),
        "attention": None if attention is None else tensor(attention),
        "input_gradient": tensor(gradient),
        "weight_gradients": tensors(weight_gradients),
    }


# --- PyTorch ---


def transformer_shapes(pre_norm):
    shapes = {}
    for layer in (f"layers.{n}" for n in range(N_LAYERS)):
        shapes |= norm(f"{layer}.attention_norm")
        for part in MULTI_HEAD_PARTS:
            shapes |= linear(f"{layer}.attention.{part}", DIM, DIM)
        shapes |= norm(f"{layer}.feed_forward_norm")
        shapes |= linear(f"{layer}.inner", DIM, D_FEED_FORWARD) | linear(f"{layer}.outer", D_FEED_FORWARD, DIM)
    return shapes | (norm("norm") if pre_norm else {})


def torch_parameters(weights, pre_norm):
    """Our weights under PyTorch's names: it keeps a linear layer as [d_out, d_in] and Q, K and V in one."""
    parameters = {}
    for n in range(N_LAYERS):
        ours, theirs = f"layers.{n}", f"layers.{n}"
        qkv = [f"{ours}.attention.{part}" for part in ("query", "key", "value")]
        parameters[f"{theirs}.self_attn.in_proj_weight"] = torch.cat([weights[f"{name}.weight"].T for name in qkv])
        parameters[f"{theirs}.self_attn.in_proj_bias"] = torch.cat([weights[f"{name}.bias"] for name in qkv])
        for our, their in [("attention.output", "self_attn.out_proj"), ("inner", "linear1"), ("outer", "linear2")]:
            parameters[f"{theirs}.{their}.weight"] = weights[f"{ours}.{our}.weight"].T
            parameters[f"{theirs}.{their}.bias"] = weights[f"{ours}.{our}.bias"]
        for our, their in [("attention_norm", "norm1"), ("feed_forward_norm", "norm2")]:
            parameters[f"{theirs}.{their}.weight"] = weights[f"{ours}.{our}.gamma"]
            parameters[f"{theirs}.{their}.bias"] = weights[f"{ours}.{our}.beta"]
    if pre_norm:
        parameters |= {"norm.weight": weights["norm.gamma"], "norm.bias": weights["norm.beta"]}
    return parameters


def transformer_case(rng, activation, norm_place, masked):
    pre_norm = norm_place == "pre"
    # Wider weights make two blocks ill-conditioned: rounding them to float32 alone then moves gradients by up to 1e-4.
    weights = draw_weights(rng, transformer_shapes(pre_norm), spread=0.3)
    x = draw(rng, BATCH, LENGTH, DIM)
    upstream = draw(rng, BATCH, LENGTH, DIM)
    if masked:
        upstream[~MASK] = 0

    layer = torch.nn.TransformerEncoderLayer(
        DIM, N_HEADS, D_FEED_FORWARD, 0.0, activation, batch_first=True, norm_first=pre_norm, dtype=torch.float64
    )
    final = torch.nn.LayerNorm(DIM, dtype=torch.float64) if pre_norm else None
    encoder = torch.nn.TransformerEncoder(layer, N_LAYERS, norm=final, enable_nested_tensor=False).train()
    attention = []
    for layer in encoder.layers:
        ask = {"need_weights": True, "average_attn_weights": False}
        layer.self_attn.register_forward_pre_hook(lambda _, args, options: (args, options | ask), with_kwargs=True)
        layer.self_attn.register_forward_hook(lambda _, args, result: attention.append(result[1].detach().numpy()))

    leaves = {name: torch.tensor(value, requires_grad=True) for name, value in weights.items()}
    tokens = torch.tensor(x, requires_grad=True)
    parameters = torch_parameters(leaves, pre_norm)
    assert parameters.keys() == dict(encoder.named_parameters()).keys()
    options = {"src_key_padding_mask": torch.tensor(~MASK)} if masked else {}
    output = torch.func.functional_call(encoder, parameters, (tokens,), options)
    gradient, *weight_gradients = torch.autograd.grad(output, [tokens, *leaves.values()], torch.tensor(upstream))

    options = {"n_layers": N_LAYERS, "n_heads": N_HEADS, "d_feed_forward": D_FEED_FORWARD}
    options |= {"activation": activation, "norm": norm_place, "dropout": 0.0}
    return {
        "name": f"transformer {activation} {norm_place} {'masked' if masked else 'unmasked'}",
        "config": {"transformer": options},
        "positions": "none",
        "masked": masked,
        "input": tensor(x),
        "second": None,
        "mask": MASK.tolist(),
        "weights": tensors(weights),
        "upstream": tensor(upstream),
        "output": tensor(output.detach()),
        "attention": [tensor(weights) for weights in attention],
        "input_gradient": tensor(gradient),
        "weight_gradients": tensors(dict(zip(weights, weight_gradients))),
    }


def write(name, **golden):
    (DATA / name).write_text(json.dumps(golden, separators=(",", ":")).replace('{"name"', '\n{"name"') + "\n")


if __name__ == "__main__":
    rng = np.random.default_rng(23)
    mechanisms = [dot(use_scale, mode) for use_scale in (False, True) for mode in ("dot", "concat")]
    mechanisms += [additive(), scaled_dot(), multi_head(), rotary_scaled_dot(), rotary_multi_head()]
    cases = [case(rng, mechanism, masked) for mechanism in mechanisms for masked in (True, False)]
    cases += [bidirectional_case(rng, masked) for masked in (True, False)]
    pooling = [
        pooling_case(rng, kind, masked) for kind in ("mean", "max", "first", "attention") for masked in (True, False)
    ]
    write("mechanism_golden.json", keras=keras.__version__, cases=cases, pooling=pooling)

    # Half of the eight combinations, in which every two choices meet: hiding padding has nothing to do with the rest.
    rng = np.random.default_rng(29)
    encoders = [("relu", "pre", True), ("relu", "post", False), ("gelu", "pre", False), ("gelu", "post", True)]
    cases = [transformer_case(rng, *encoder) for encoder in encoders]
    write("transformer_golden.json", torch=torch.__version__.split("+")[0], cases=cases)
