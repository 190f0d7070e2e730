"""The random stream in a CUDA kernel, and numbers from its words.

The rules are those of the default kernels (`plugrad.ops.draws`); numbers are the same
bit for bit, but for normals, where CUDA's `log`, `cos` and `sin` may differ in the
last bits. Permutations are drawn by the default body, that is by a sort on the GPU.
"""

from __future__ import annotations

from typing import Any

THREADS = 256

# One thread makes a block of four words at a time. KIND says what becomes of them.
SOURCE = r"""
typedef unsigned long long word;

__device__ inline void philox(word key, word counter, word x[4]) {
    word k0 = key, k1 = 0;
    x[0] = counter; x[1] = counter == 0; x[2] = 0; x[3] = 0;
    for (int i = 0; i < 10; ++i) {
        word h0 = __umul64hi(0xD2E7470EE14C6C93ULL, x[0]);
        word l0 = 0xD2E7470EE14C6C93ULL * x[0];
        word h1 = __umul64hi(0xCA5A826395121157ULL, x[2]);
        word l1 = 0xCA5A826395121157ULL * x[2];
        x[0] = h1 ^ x[1] ^ k0; x[1] = l1;
        x[2] = h0 ^ x[3] ^ k1; x[3] = l0;
        k0 += 0x9E3779B97F4A7C15ULL; k1 += 0xBB67AE8584CAA73BULL;
    }
}

extern "C" __global__ void plugrad_words(
        word key, word counter, word blocks, word *out) {
    word step = (word)gridDim.x * blockDim.x;
    for (word i = (word)blockIdx.x * blockDim.x + threadIdx.x; i < blocks; i += step) {
        word x[4];
        philox(key, counter + 1 + i, x);
        for (int j = 0; j < 4; ++j) out[4 * i + j] = x[j];
    }
}

extern "C" __global__ void plugrad_uniform_double(
        word key, word counter, word count, double *out) {
    word step = (word)gridDim.x * blockDim.x, blocks = (count + 3) / 4;
    for (word i = (word)blockIdx.x * blockDim.x + threadIdx.x; i < blocks; i += step) {
        word x[4];
        philox(key, counter + 1 + i, x);
        for (int j = 0; j < 4; ++j)
            if (4 * i + j < count)
                out[4 * i + j] = (double)(x[j] >> 11) * 1.1102230246251565e-16;
    }
}

extern "C" __global__ void plugrad_uniform_float(
        word key, word counter, word count, int unused, float unit, float *out) {
    word step = (word)gridDim.x * blockDim.x, blocks = (count + 7) / 8;
    for (word i = (word)blockIdx.x * blockDim.x + threadIdx.x; i < blocks; i += step) {
        word x[4];
        philox(key, counter + 1 + i, x);
        for (int j = 0; j < 8; ++j) {
            unsigned int half = (unsigned int)(x[j / 2] >> (32 * (j % 2)));
            if (8 * i + j < count) out[8 * i + j] = (float)(half >> unused) * unit;
        }
    }
}

extern "C" __global__ void plugrad_integers(
        word key, word counter, word count, word span, int wide, word low,
        long long *out) {
    word step = (word)gridDim.x * blockDim.x;
    word blocks = wide ? (count + 3) / 4 : (count + 7) / 8;
    for (word i = (word)blockIdx.x * blockDim.x + threadIdx.x; i < blocks; i += step) {
        word x[4];
        philox(key, counter + 1 + i, x);
        if (wide) {
            for (int j = 0; j < 4; ++j)
                if (4 * i + j < count) {
                    word v = span ? __umul64hi(x[j], span) : x[j];
                    out[4 * i + j] = (long long)(v + low);
                }
        } else {
            for (int j = 0; j < 8; ++j) {
                word half = (x[j / 2] >> (32 * (j % 2))) & 0xFFFFFFFFULL;
                if (8 * i + j < count)
                    out[8 * i + j] = (long long)(((half * span) >> 32) + low);
            }
        }
    }
}
"""

BITS = {"float32": 24, "float16": 11, "bfloat16": 8}  # of a half word


class Random:
    """Kernels that draw."""

    k: Any
    cp: Any
    fused: Any

    def launch(self, name: str, blocks: int, *args: Any) -> None:
        """Run one of the kernels above, a thread for each block up to a limit."""
        kernels = self.__dict__.setdefault("raw_kernels", {})
        if name not in kernels:
            kernels[name] = self.cp.RawKernel(SOURCE, f"plugrad_{name}")
        if blocks:
            grid = min(-(-blocks // THREADS), 4096)
            kernels[name]((grid,), (THREADS,), args)

    def random_words(self, key: int, counter: int, blocks: int) -> Any:
        """The words of some blocks of the stream."""
        word = self.cp.uint64
        out = self.cp.empty(4 * blocks, word)
        self.launch("words", blocks, word(key), word(counter), word(blocks), out)
        return out

    def draw_uniform(self, key: int, counter: int, count: int, dtype: Any) -> Any:
        """Uniform numbers in [0, 1)."""
        cp = self.cp
        start = cp.uint64(key), cp.uint64(counter), cp.uint64(count)
        if dtype.name == "float64":
            out = cp.empty(count, cp.float64)
            self.launch("uniform_double", -(-count // 4), *start, out)
            return out
        bits = BITS[dtype.name]
        out = cp.empty(count, cp.float32)
        scale = cp.int32(32 - bits), cp.float32(2.0**-bits)
        self.launch("uniform_float", -(-count // 8), *start, *scale, out)
        return out if bits == 24 else out.astype(self.k.native(dtype))

    def draw_normal(self, key: int, counter: int, count: int, dtype: Any) -> Any:
        """Normal numbers, in pairs from the two halves of the draw."""
        cp = self.cp
        wide = dtype.name == "float64"
        each = 4 if wide else 8
        n = -(-count // each) * each // 2
        draw = plugrad_dtype(self.k, "float64" if wide else "float32")
        u = self.draw_uniform(key, counter, 2 * n, draw)
        y = cp.empty(2 * n, u.dtype)
        if n:
            self.fused.box_muller(u[:n], u[n:], y[:n], y[n:])
        return y[:count].astype(self.k.native(dtype), copy=False)

    def draw_integers(
        self, key: int, counter: int, count: int, low: int, high: int, dtype: Any
    ) -> Any:
        """Integers from `low` up to but not including `high`."""
        cp = self.cp
        span = high - low
        wide = span > 2**32
        word = cp.uint64
        out = cp.empty(count, cp.int64)
        self.launch(
            "integers",
            -(-count // (4 if wide else 8)),
            *(word(key), word(counter), word(count), word(span % 2**64)),
            *(cp.int32(wide), word(low % 2**64), out),
        )
        return out.astype(self.k.native(dtype), copy=False)


def plugrad_dtype(k: Any, name: str) -> Any:
    """Plugrad's dtype of that name."""
    return next(each for each in k.by_dtype if each.name == name)
