#!/usr/bin/env python3
"""Prints the factors that crates/train/src/metrics/balance.rs is tested against: those of scipy's L-BFGS-B for the same sum.

Needs numpy and scipy; it is no part of the program.
"""

import numpy as np
from scipy.optimize import minimize

NETWORK = np.array([0.5, -1.0, 1.5, 0.25, -0.75, 2.0, -0.5, 0.1, 1.0, -1.25])
LINEAR = np.array([1.0, 0.2, 0.3, -0.4, -1.0, 0.6, 0.5, -0.2, -0.1, -0.9])
TARGETS = np.array([1, 0, 1, 0, 0, 1, 1, 0, 0, 0])
RIDGE = 0.1


def loss(factors):
    logits = factors[0] * NETWORK + factors[1] * LINEAR
    return np.logaddexp(0, logits).sum() - (TARGETS * logits).sum() + 0.5 * RIDGE * (factors**2).sum()


found = minimize(loss, [1.0, 1.0], bounds=[(0, None)] * 2, method="L-BFGS-B", options={"ftol": 1e-16, "gtol": 1e-12})
print("network {:.7f}, linear {:.7f}".format(*found.x))
