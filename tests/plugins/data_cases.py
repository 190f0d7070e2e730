"""Datasets and functions for the tests of data loading; spawned workers import them."""

from __future__ import annotations

import ctypes
import os
import random
import signal
import sys
import time

import numpy as np

import plugrad
from plugrad.utils.data import Dataset, IterableDataset, get_worker_info

LARGE = 50_000  # floats: a batch of these goes through shared memory


class Numbers(Dataset):
    """n rows; row i is full of i."""

    def __init__(self, n=40, width=3):
        self.n, self.width = n, width

    def __len__(self):
        return self.n

    def __getitem__(self, i):
        return plugrad.full((self.width,), float(i)), i


class Noisy(Numbers):
    """Numbers with what the three generators of random numbers draw."""

    def __getitem__(self, i):
        return i, random.random(), float(np.random.rand()), plugrad.rand(2)


class Stream(IterableDataset):
    """The numbers below n, each worker its share."""

    def __init__(self, n=23, noise=False):
        self.n, self.noise = n, noise

    def __iter__(self):
        info = get_worker_info()
        first, step = (info.id, info.num_workers) if info else (0, 1)
        for i in range(first, self.n, step):
            yield (i, random.random()) if self.noise else i


class Seeds(Dataset):
    """Who loads a sample."""

    def __len__(self):
        return 8

    def __getitem__(self, i):
        info = get_worker_info()
        drawn = random.random(), float(np.random.rand()), float(plugrad.rand(()))
        return os.getpid(), info.id, info.num_workers, info.seed, *drawn


class Local:
    """Instances hold what no pickle does."""

    def __init__(self):
        self.part = {"generator": (i for i in range(3))}


def misbehave(how):
    """Do something that a dataset should not."""
    if how == "raises":
        raise KeyError("no such image")
    if how == "exits":
        sys.exit(3)
    if how == "exits hard":
        os._exit(5)
    if how == "is killed":
        os.kill(os.getpid(), signal.SIGKILL)
    if how == "crashes":
        signal.signal(signal.SIGSEGV, signal.SIG_DFL)
        os.kill(os.getpid(), signal.SIGSEGV)
    if how == "is stopped":
        os.kill(os.getpid(), signal.SIGSTOP)
    if how == "sleeps":
        time.sleep(60)
    if how == "sleeps in C":
        ctypes.CDLL(None).sleep(60)
    if how == "cannot be pickled":
        return Local()
    return None


class Faulty(Numbers):
    """Numbers that misbehave at one index."""

    def __init__(self, how, at=13, width=3):
        super().__init__(width=width)
        self.how, self.at = how, at

    def __getitem__(self, i):
        if i == self.at:
            found = misbehave(self.how)
            if found is not None:
                return found
        return super().__getitem__(i)


class FaultyOften(Numbers):
    """20 numbers, of which some cannot be had."""

    def __init__(self):
        super().__init__(20)

    def __getitem__(self, i):
        if i in (5, 6, 13, 17):
            raise ValueError(f"number {i} is broken")
        return i


class NoBeginning(Stream):
    def __iter__(self):
        raise OSError("no such folder")


class FaultyStream(Stream):
    def __init__(self, how, at=13):
        super().__init__()
        self.how, self.at = how, at

    def __iter__(self):
        for i in super().__iter__():
            if i == self.at:
                misbehave(self.how)
            yield i


class Custom(Exception):
    """An exception that cannot be made of a message."""

    def __init__(self, a, b):
        super().__init__(a, b)


class RaisesCustom(Numbers):
    def __getitem__(self, i):
        raise Custom(1, 2)


class RaisesStop(Numbers):
    def __getitem__(self, i):
        raise StopIteration


class NotHere(Numbers):
    """Its pickle can be made, but not read in a worker."""

    def __reduce__(self):
        return unread, (os.getpid(),)


def unread(pid):
    if os.getpid() != pid:
        raise ImportError("this is not where it was pickled")
    return NotHere()


def as_list(samples):
    return samples


def bad_init(number):
    if number == 1:
        raise OSError("no such camera")


def reseed(number):
    random.seed(1000 + number)


class Sorted:
    """What a worker sends that cannot be read in the loader."""

    def __init__(self):
        self.pid = os.getpid()

    def __reduce__(self):
        return unread, (self.pid,)


def sealed(samples):
    return Sorted()
