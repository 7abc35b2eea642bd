"""Peaks that others measured and published, of whole runs with everything on the card; MiB.

From the READMEs and blogs of diffusers, diffusers-torchao and Forge; the peak is the allocator's where nothing else is
said. What is not Forge's own way of running (the VAE in 32 bits for SDXL in fp16, a safety checker beside) is told to
the plan, as --others-mib and the precision do for a user.
"""

from __future__ import annotations

import statistics

from forgedoctor.memory import Ask, plan
from forgedoctor.memory.precision import precision_named

ROWS = [
    # family, precision, size, batch, other models, published peak
    ("flux_dev", "bf16", 1024, 1, 0, 34663.4),
    ("flux_dev", "bf16", 1024, 4, 0, 40437.8),
    ("flux_dev", "bf16", 1024, 16, 0, 63025.2),
    ("flux_dev", "fp8wo", 1024, 8, 0, 37304.3),
    ("flux_dev", "int8wo", 1024, 1, 0, 32364.5),
    ("flux_dev", "Q8_0", 1024, 1, 0, 26596.4),
    ("flux_dev", "Q4_1", 1024, 1, 0, 21837.8),
    ("flux_dev", "int8 t5", 1024, 1, 0, 21997.6),
    ("sdxl", "fp32", 1024, 4, 0, 28764.2),
    ("sdxl", "fp16", 1024, 4, 0, 22241.3),
    ("sdxl", "bf16", 1024, 1, 0, 9173.0),
    ("sdxl", "fp16", 1024, 1, 2386, 13271.0),
    ("ssd1b", "fp32", 1024, 1, 0, 12490.8),
    ("sd3_medium", "fp16", 1024, 1, 0, 19215.4),
    ("sd15", "fp32", 512, 1, 0, 6262.8),
    ("sd15", "bf16", 512, 1, 0, 2872.3),
    ("sd15", "fp16", 512, 1, 580, 3129.3),
    ("sd15", "fp16", 512, 4, 580, 4455.4),
]


def test_published_peaks_are_met() -> None:
    errors = {}
    for family, precision, size, batch, others, peak in ROWS:
        asked = precision_named(precision)
        assert asked is not None
        made = plan(Ask(family=family, precision=asked, width=size, height=size, batch=batch, others=float(others)))
        errors[family, precision, batch] = abs(made.peak_mib / peak - 1)
    assert statistics.median(errors.values()) <= 0.10
    assert sum(one <= 0.20 for one in errors.values()) >= 0.9 * len(errors), errors
