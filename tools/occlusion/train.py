"""The network, its training, and its ONNX file."""

from __future__ import annotations

import copy
import os
import time
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.nn import functional

from obs_facelive.surface import SIZE

BATCH = 32
HIGHEST_RATE = 1.5e-3


def _conv(channels: int, out: int, size: int = 3, stride: int = 1, groups: int = 1) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(channels, out, size, stride, size // 2, groups=groups, bias=False), nn.BatchNorm2d(out), nn.ReLU()
    )


class _Block(nn.Module):
    """Depthwise and pointwise convolution with a way around."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            _conv(channels, channels, groups=channels),
            nn.Conv2d(channels, channels, 1, bias=False),
            nn.BatchNorm2d(channels),
        )

    def forward(self, x: Tensor) -> Tensor:
        return functional.relu(x + self.body(x))


class Network(nn.Module):
    """(n, 7, SIZE, SIZE) of `obs_facelive.mask.occlusion.network_input` → (n, 1, SIZE, SIZE) log-odds of being hidden.

    A U-Net (O. Ronneberger, P. Fischer, T. Brox, U-Net, MICCAI 2015) of small blocks. What is normal differs from place to
    place of a face: a learned value for each place is added at the start.
    """

    def __init__(self, widths: tuple[int, int, int, int] = (16, 32, 64, 96)) -> None:
        super().__init__()
        a, b, c, d = widths
        self.stem = _conv(7, a, 3, 2)
        self.place = nn.Parameter(torch.zeros(1, a, SIZE // 2, SIZE // 2))
        self.first = _Block(a)
        self.second = nn.Sequential(_conv(a, b, 3, 2), _Block(b), _Block(b))
        self.third = nn.Sequential(_conv(b, c, 3, 2), _Block(c), _Block(c))
        self.fourth = nn.Sequential(_conv(c, d, 3, 2), _Block(d), _Block(d), _Block(d), _conv(d, c, 1))
        self.up3 = nn.Sequential(_Block(c), _conv(c, b, 1))
        self.up2 = nn.Sequential(_Block(b), _conv(b, a, 1))
        self.up1 = nn.Sequential(_Block(a), nn.Conv2d(a, 4, 3, padding=1))

    def forward(self, image: Tensor) -> Tensor:  # noqa: D102
        x1 = self.first(self.stem(image) + self.place)
        x2 = self.second(x1)
        x3 = self.third(x2)
        x4 = self.fourth(x3)
        y = self.up3(x3 + functional.interpolate(x4, scale_factor=2.0, mode="nearest"))
        y = self.up2(x2 + functional.interpolate(y, scale_factor=2.0, mode="nearest"))
        y = self.up1(x1 + functional.interpolate(y, scale_factor=2.0, mode="nearest"))
        return functional.pixel_shuffle(y, 2)


Bytes = npt.NDArray[np.int8] | npt.NDArray[np.uint8]


class _Samples:
    """All chunks that are there; takes in those that come later, too. The first chunk judges."""

    def __init__(self, folder: Path, seed: int = 0) -> None:
        self._folder, self._known = folder, set[Path]()
        self._chunks: list[tuple[Bytes, Bytes, Bytes]] = []
        self._random = np.random.default_rng(seed)
        self.look()

    def look(self) -> int:
        for path in sorted(set(self._folder.glob("[!.]*.npz")) - self._known):
            with np.load(path) as file:
                self._chunks.append((file["image"], file["hidden"], file["weight"]))
            self._known.add(path)
        return len(self._chunks)

    def batch(self) -> tuple[Tensor, Tensor, Tensor]:
        random, picked = self._random, []
        for _ in range(BATCH):
            chunk = self._chunks[random.integers(1, len(self._chunks))]
            k = random.integers(len(chunk[0]))
            picked.append([part[k] for part in chunk])
        image, hidden, weight = (np.stack(part).astype(np.float32) for part in zip(*picked, strict=True))
        image /= 32
        image[:, :6] *= random.uniform(0.7, 1.4, (BATCH, 1, 1, 1))
        image[:, :6] += random.normal(0, 0.12, (BATCH, 6, 1, 1)) * (random.random((BATCH, 1, 1, 1)) < 0.5)
        return torch.from_numpy(image), torch.from_numpy(hidden / 255), torch.from_numpy(weight / 255)

    def judges(self) -> tuple[Tensor, Tensor, Tensor]:
        image, hidden, weight = (part.astype(np.float32) for part in self._chunks[0])
        return torch.from_numpy(image / 32), torch.from_numpy(hidden / 255), torch.from_numpy(weight / 255)


def _loss(logits: Tensor, hidden: Tensor, weight: Tensor) -> Tensor:
    """Cross-entropy, and the part that is not common to answer and truth (soft Dice), both over what is known."""
    answer = torch.sigmoid(logits)
    entropy = functional.binary_cross_entropy_with_logits(logits, hidden, reduction="none")
    # Thin things count as much as large ones: near an edge of the truth the error weighs more.
    edge = (
        functional.max_pool2d(hidden[:, None], 5, 1, 2)[:, 0] + functional.max_pool2d(-hidden[:, None], 5, 1, 2)[:, 0]
    )
    entropy = (entropy * weight * (1 + 2 * edge)).sum() / weight.sum()
    common = (answer * hidden * weight).sum((1, 2)) * 2 + 20
    dice = 1 - common / (((answer + hidden) * weight).sum((1, 2)) + 20)
    return entropy + 0.5 * dice.mean()


def train(samples: Path, out: Path, seconds: float) -> None:
    """Trains for ``seconds`` on the chunks in ``samples``; writes ``out`` and, beside it, what a later run goes on from."""
    torch.set_num_threads(1)
    torch.manual_seed(1)
    data, network = _Samples(samples), Network()
    saved = out.with_suffix(".pt")
    if saved.exists():
        network.load_state_dict(torch.load(saved, weights_only=True))
    average = copy.deepcopy(network).eval()
    optimiser = torch.optim.AdamW(network.parameters(), HIGHEST_RATE, weight_decay=1e-3)
    began, step, total = time.monotonic(), 0, 0.0
    while (spent := (time.monotonic() - began) / seconds) < 1:
        rate = HIGHEST_RATE * min(1.0, (step + 1) / 200) * (0.5 + 0.5 * np.cos(np.pi * spent)) + 1e-5
        for group in optimiser.param_groups:
            group["lr"] = rate
        image, hidden, weight = data.batch()
        loss = _loss(network(image)[:, 0], hidden, weight)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        total += float(loss)
        keep = min(0.995, (step + 1) / (step + 10))
        with torch.no_grad():
            pairs = zip(average.state_dict().values(), network.state_dict().values(), strict=True)
            for old, new in pairs:
                old.copy_(new if not old.is_floating_point() else old * keep + new * (1 - keep))
        step += 1
        if step % 100 == 0:
            print(f"step {step}, {data.look()} chunks, loss {total / 100:.4f}, {_judge(average, data)}", flush=True)
            total = 0.0
        if step % 500 == 0:
            _write(average, out, saved)
    _write(average, out, saved)


@torch.no_grad()
def _judge(network: Network, data: _Samples) -> str:
    image, hidden, weight = data.judges()
    answer = torch.cat([network(part)[:, 0] for part in image.split(64)]) > 0
    covered, free = (hidden > 0.9) & (weight > 0.5), (hidden < 0.1) & (weight > 0.5)
    found = float((answer & covered).sum() / covered.sum())
    lost = float((answer & free).sum() / free.sum())
    return f"hidden found {found:.4f}, face lost {lost:.4f}"


def _write(network: Network, out: Path, saved: Path) -> None:
    torch.save(network.state_dict(), saved)
    fresh = out.with_name(f".{os.getpid()}-{out.name}")
    torch.onnx.export(
        nn.Sequential(network, nn.Sigmoid()),
        (torch.zeros(1, 7, SIZE, SIZE),),
        str(fresh),
        input_names=["image"],
        output_names=["hidden"],
        opset_version=17,
        dynamo=False,
    )
    fresh.replace(out)
