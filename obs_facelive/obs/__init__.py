"""What runs inside OBS."""

import sys

# numba looks for cffi when it is imported, and fails where OBS's interpreter finds halves of two versions: the system's
# `_cffi_backend` (Debian has it alone) and our environment's `cffi`, which packages for signing and for key stores bring
# along. It does without cffi as well.
if "cffi" not in sys.modules:
    sys.modules["cffi"] = None  # type: ignore[assignment]
    try:
        import numba.core.typing.cffi_utils  # noqa: F401
    finally:
        del sys.modules["cffi"]
