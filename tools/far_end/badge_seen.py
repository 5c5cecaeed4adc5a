"""Is the badge in a picture? How much of the change that the badge makes to the clip's corner is there.

The badge itself comes from `obs_facelive.provenance.badge`. With c the clip's corner, b the same with the badge on it and s
what is seen, the share is the projection of s - c on b - c: 1 with the badge, 0 without, whatever the coding's noise.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final, get_args

import msgspec
import numpy as np

from obs_facelive.frame import Floats, Pixels
from obs_facelive.provenance.badge import Badge, Corner
from obs_facelive.settings import Settings
from obs_facelive.video import read_frames

LEAST: Final = 0.5
"""Share of the badge from which it is there, and correlation of what is seen with it. At 640x360 and 400 kbit it has .8 and
.95, without the badge it is .05 and .28; as a JPEG of 320x180 and quality 10 .55 and .76, and .12 and .39."""
CORNERS: Final[Sequence[Corner]] = get_args(Corner)


class BadgeSeen:
    """Knows each corner of each of the clip's pictures, bare and with the badge.

    Parameters
    ----------
    clip : its pictures are numbered 0, 1, ...; a picture without a number is compared with the clip's mean
    settings : the badge's style, size and language; it is looked for in every corner, for it gives way to faces
    """

    def __init__(self, clip: Path, settings: Settings) -> None:
        bare: list[list[Pixels]] = []
        badged: list[list[Pixels]] = []
        places: list[tuple[slice, slice]] = []
        wanted = [(Badge(), msgspec.structs.replace(settings, badge=corner)) for corner in CORNERS]
        for frame in read_frames(clip):
            patches = [badge(frame, [], [], corner) for badge, corner in wanted]
            places = [(slice(p.y, p.y + p.pixels.shape[0]), slice(p.x, p.x + p.pixels.shape[1])) for p in patches]
            bare.append([np.ascontiguousarray(frame.pixels[place][..., :3]) for place in places])
            badged.append([np.ascontiguousarray(patch.pixels[..., :3]) for patch in patches])
        self._places = places
        self._bare = [np.stack(each) for each in zip(*bare, strict=True)]
        self._badged = [np.stack(each) for each in zip(*badged, strict=True)]

    def there(self, picture: Pixels, number: int | None) -> bool:
        """Whether ``picture`` ((h, w, 3 or 4), of the clip's size) carries the badge; ``number``: the clip's picture in it."""
        return any(share > LEAST and alike > LEAST for share, alike in self.shares(picture, number))

    def shares(self, picture: Pixels, number: int | None) -> Iterator[tuple[float, float]]:
        """For each of `CORNERS`: how much of the badge is there, and how far what is there is like it (correlation)."""
        for place, bare, badged in zip(self._places, self._bare, self._badged, strict=True):
            without, with_badge = (_one(pictures, number) for pictures in (bare, badged))
            change, seen = with_badge - without, picture[place][..., :3].astype(np.float32) - without
            power = float((change**2).sum())
            product = float((change * seen).sum())
            yield product / power, product / np.sqrt(power * float((seen**2).sum()) + 1e-6)


def _one(pictures: Pixels, number: int | None) -> Floats:
    chosen = pictures.mean(0) if number is None else pictures[number]
    return np.asarray(chosen, np.float32)
