"""The control: a filter as one would write it first, its callbacks ordinary Python functions behind ctypes.

OBS calls ``create`` under the source list's lock and ``video_render`` under the graphics lock, and ctypes takes the GIL for
both: the traps that FaceLive's compiled callbacks avoid.
"""

import ctypes as c
import time


class _SourceInfo(c.Structure):
    _fields_ = [  # noqa: RUF012
        ("id", c.c_char_p),
        ("type", c.c_int),
        ("output_flags", c.c_uint32),
        ("get_name", c.c_void_p),
        ("create", c.c_void_p),
        ("destroy", c.c_void_p),
        ("until_video_render", c.c_byte * (120 - 40)),
        ("video_render", c.c_void_p),
        ("rest", c.c_byte * (384 - 128)),
    ]


@c.CFUNCTYPE(c.c_void_p, c.c_void_p)
def _get_name(type_data: int) -> int:
    return c.addressof(_name)


@c.CFUNCTYPE(c.c_void_p, c.c_void_p, c.c_void_p)
def _create(settings: int, source: int) -> int:
    time.sleep(0.002)  # as if it read a file
    return source


@c.CFUNCTYPE(None, c.c_void_p)
def _destroy(data: int) -> None:
    pass


@c.CFUNCTYPE(None, c.c_void_p, c.c_void_p)
def _video_render(data: int, effect: int) -> None:
    _skip(data)


_name = c.create_string_buffer(b"Plain filter")
_id = c.create_string_buffer(b"plain_filter")
_info = _SourceInfo(type=1, output_flags=1)
_info.id = c.cast(_id, c.c_char_p)
for _callback, _function in (
    ("get_name", _get_name),
    ("create", _create),
    ("destroy", _destroy),
    ("video_render", _video_render),
):
    setattr(_info, _callback, c.cast(_function, c.c_void_p))
_skip = c.CDLL(None).obs_source_skip_video_filter
_skip.restype, _skip.argtypes = None, [c.c_void_p]
_register = c.CDLL(None).obs_register_source_s
_register.argtypes = [c.c_void_p, c.c_size_t]
_register(c.byref(_info), c.sizeof(_info))
