"""Words and bytes by address, for compiled code on both sides: loads that acquire, stores that release, copies.

Plain numpy accesses would do on x86; ARM needs the ordering said.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import njit, types
from numba.extending import intrinsic

_WORD = ir.IntType(64)


@intrinsic
def load(typingctx: Any, address: Any) -> Any:
    """The int64 at ``address``; what its writer stored before is seen too (acquire)."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.load_atomic(builder.inttoptr(args[0], _WORD.as_pointer()), "acquire", 8)

    return types.int64(types.int64), generate


@intrinsic
def store(typingctx: Any, address: Any, value: Any) -> Any:
    """Puts an int64 at ``address``; whoever loads it sees what was stored before, too (release)."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        builder.store_atomic(args[1], builder.inttoptr(args[0], _WORD.as_pointer()), "release", 8)
        return context.get_dummy_value()

    return types.void(types.int64, types.int64), generate


@intrinsic
def fence(typingctx: Any) -> Any:
    """Keeps every earlier read and write before every later one."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        builder.fence("seq_cst")
        return context.get_dummy_value()

    return types.void(), generate


copy = types.ExternalFunction("memcpy", types.int64(types.int64, types.int64, types.int64))
"""memcpy(to, from, bytes)."""


@njit(cache=True, nogil=True)
def read_word(address: int) -> int:
    """`load`, for interpreted code."""
    return load(address)


@njit(cache=True, nogil=True)
def write_word(address: int, value: int) -> None:
    """`store`, for interpreted code; a full fence follows, so that a later read is not taken before it."""
    store(address, value)
    fence()


@intrinsic
def claim(typingctx: Any, address: Any, expected: Any, value: Any) -> Any:
    """Puts ``value`` at ``address`` if ``expected`` is there, in one step; 1 if it was."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        pointer = builder.inttoptr(args[0], _WORD.as_pointer())
        pair = builder.cmpxchg(pointer, args[1], args[2], "seq_cst", "seq_cst")
        return builder.zext(builder.extract_value(pair, 1), _WORD)

    return types.int64(types.int64, types.int64, types.int64), generate
