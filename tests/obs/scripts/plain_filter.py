"""The control: a filter as one would write it first, its ``create`` an ordinary Python function behind ctypes.

OBS calls it under the source list's lock, ctypes takes the GIL for it: the trap that FaceLive's compiled callbacks avoid.
"""

import ctypes as c


class _SourceInfo(c.Structure):
    _fields_ = [  # noqa: RUF012
        ("id", c.c_char_p),
        ("type", c.c_int),
        ("output_flags", c.c_uint32),
        ("get_name", c.c_void_p),
        ("create", c.c_void_p),
        ("destroy", c.c_void_p),
        ("rest", c.c_byte * (384 - 40)),
    ]


@c.CFUNCTYPE(c.c_void_p, c.c_void_p)
def _get_name(type_data: int) -> int:
    return c.addressof(_name)


@c.CFUNCTYPE(c.c_void_p, c.c_void_p, c.c_void_p)
def _create(settings: int, source: int) -> int:
    return 1


@c.CFUNCTYPE(None, c.c_void_p)
def _destroy(data: int) -> None:
    pass


_name = c.create_string_buffer(b"Plain filter")
_id = c.create_string_buffer(b"plain_filter")
_info = _SourceInfo(type=1, output_flags=1)
_info.id = c.cast(_id, c.c_char_p)
for _callback, _function in (("get_name", _get_name), ("create", _create), ("destroy", _destroy)):
    setattr(_info, _callback, c.cast(_function, c.c_void_p))
_register = c.CDLL(None).obs_register_source_s
_register.argtypes = [c.c_void_p, c.c_size_t]
_register(c.byref(_info), c.sizeof(_info))
