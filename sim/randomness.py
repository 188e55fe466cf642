"""Streams of random numbers: one per purpose, so that a change in one part does not reshuffle the others."""

import zlib

import numpy as np


def stream(*key: int | str) -> np.random.Generator:
    """Give the generator that belongs to the key; equal keys give equal streams on every machine."""
    words = [part & 0xFFFFFFFFFFFF if isinstance(part, int) else zlib.crc32(part.encode()) for part in key]
    return np.random.default_rng(np.random.SeedSequence(words))
