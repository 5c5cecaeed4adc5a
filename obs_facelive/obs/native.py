"""libobs and the C library for compiled code: functions by name, memory by address.

Functions are symbols that the linker resolves when a callback is loaded, not addresses in the code, so the compiled
callbacks can be cached on disk and OBS starts without compiling anything.
"""

from __future__ import annotations

import ctypes
import sys
from typing import Any

import llvmlite.binding as llvm
from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from obs_facelive.obs.abi import FUNCTIONS

_TYPES = {
    "p": types.int64,
    "P": types.int64,
    "l": types.int64,
    "i": types.int32,
    "b": types.uint8,
    "f": types.float32,
    "v": types.void,
}


def function(name: str) -> Any:
    """A libobs function, to be called from compiled code; pointers are int64, a bool comes back as 0 or 1."""
    result, *arguments = list(FUNCTIONS[name])
    return types.ExternalFunction(name, _TYPES[result](*[_TYPES[a] for a in arguments]))


strlen = types.ExternalFunction("strlen", types.int64(types.int64))

_RING = "SetEvent" if sys.platform == "win32" else "write"
ring_bell = types.ExternalFunction(
    _RING, types.int32(types.int64) if sys.platform == "win32" else types.int64(types.int32, types.int64, types.int64)
)


@intrinsic
def table(typingctx: Any) -> Any:
    """The address of the table of constants (`obs_facelive.obs.rows`)."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        module = builder.module
        symbol = module.globals.get("facelive_table") or ir.GlobalVariable(module, ir.IntType(64), "facelive_table")
        symbol.linkage = "external"
        return builder.ptrtoint(symbol, ir.IntType(64))

    return types.int64(), generate


@intrinsic
def load_byte(typingctx: Any, address: Any) -> Any:
    """The byte at ``address``."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        byte = builder.load(builder.inttoptr(args[0], ir.IntType(8).as_pointer()))
        return builder.zext(byte, ir.IntType(64))

    return types.int64(types.int64), generate


@intrinsic
def call_back(typingctx: Any, callback: Any, first: Any, second: Any, third: Any) -> Any:
    """Calls the C function at ``callback``, which takes three pointers and gives nothing."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        words = [ir.IntType(64)] * 3
        builder.call(builder.inttoptr(args[0], ir.FunctionType(ir.VoidType(), words).as_pointer()), args[1:])
        return context.get_dummy_value()

    return types.void(*[types.int64] * 4), generate


def link(libobs: ctypes.CDLL, table_address: int) -> None:
    """Tells the compiler's linker where everything is. Raises `AttributeError` if this libobs lacks a function."""
    for name in FUNCTIONS:
        llvm.add_symbol(name, ctypes.cast(getattr(libobs, name), ctypes.c_void_p).value)
    c_library = ctypes.CDLL("msvcrt.dll" if sys.platform == "win32" else None)
    for name in ("memcpy", "strlen"):
        llvm.add_symbol(name, ctypes.cast(getattr(c_library, name), ctypes.c_void_p).value)
    bell_library = ctypes.CDLL("kernel32.dll") if sys.platform == "win32" else c_library
    llvm.add_symbol(_RING, ctypes.cast(getattr(bell_library, _RING), ctypes.c_void_p).value)
    llvm.add_symbol("facelive_table", table_address)


def link_nothing(table_address: int) -> None:
    """Gives every name some address: callbacks can then be compiled for the cache without libobs. Never call them."""
    for name in (*FUNCTIONS, "memcpy", "strlen", _RING):
        llvm.add_symbol(name, table_address)
    llvm.add_symbol("facelive_table", table_address)
