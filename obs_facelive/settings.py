"""Every parameter of the filter, once: type, range, default, help. Panel, command line, validation and docs are made from it,
by way of `obs_facelive.fields`.

Standard library and msgspec only: OBS's own interpreter imports it.
"""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

Percent = Annotated[int, msgspec.Meta(ge=0, le=100)]


def _about(title: str, help: str, group: str, unit: str = "", choices: dict[str, str] | None = None) -> msgspec.Meta:
    return msgspec.Meta(title=title, description=help, extra={"group": group, "unit": unit, "choices": choices or {}})


MESH = "mesh"
"""The built-in engine."""


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """One filter's settings. A change is a new object."""

    swap: Annotated[
        bool,
        _about("Swap my face", "Off: the picture is covered, or the camera is shown if privacy is off.", "Persona"),
    ] = True
    persona: Annotated[str, _about("Persona", "Whose face you wear.", "Persona")] = ""
    crossfade_ms: Annotated[
        Annotated[int, msgspec.Meta(ge=0, le=2000)],
        _about(
            "Cross-fade",
            "How long one persona takes to become another when you change it. 0: at once.",
            "Persona",
            "ms",
        ),
    ] = 400
    opacity: Annotated[
        Percent, _about("Opacity", "100: only the persona. 0: only you, under the mask.", "Persona", "%")
    ] = 100
    privacy: Annotated[
        bool,
        _about(
            "Privacy: never show my bare face",
            "While on, a hiccup shows the last swapped picture, then a blurred one.",
            "Privacy",
        ),
    ] = True
    no_face: Annotated[
        Literal["hold", "cover", "camera"],
        _about(
            "When there is no face",
            "What viewers see while no face is found. 'Show camera' shows the bare picture: also when a face is missed.",
            "Privacy",
            choices={"hold": "Hold the last picture, then cover", "cover": "Cover at once", "camera": "Show camera"},
        ),
    ] = "hold"
    hold_ms: Annotated[
        Annotated[int, msgspec.Meta(ge=0, le=5000)],
        _about("Hold for at most", "After this time without a swapped picture the camera is covered.", "Privacy", "ms"),
    ] = 1000
    face: Annotated[
        Literal["largest", "centre", "left", "right", "all"],
        _about(
            "Which face",
            "Which face is swapped when there are several. The others stay as they are.",
            "Face",
            choices={
                "largest": "Largest",
                "centre": "Nearest to the centre",
                "left": "Leftmost",
                "right": "Rightmost",
                "all": "All",
            },
        ),
    ] = "largest"
    only_me: Annotated[
        bool,
        _about(
            "Only me",
            "Only your own face is swapped, once FaceLive remembers it ('Remember my face'); 'Which face' says nothing then. "
            "While you are not seen, the picture is held, then covered.",
            "Face",
        ),
    ] = False
    others: Annotated[
        Literal["leave", "cover"],
        _about(
            "Other people",
            "With 'Only me': what viewers see of the faces of guests, posters and screens.",
            "Face",
            choices={"leave": "Leave as they are", "cover": "Cover their faces"},
        ),
    ] = "leave"
    keep_eyes: Annotated[bool, _about("Keep my eyes", "Your own eyes look out of the persona.", "Face")] = True
    keep_mouth: Annotated[
        bool, _about("Keep my mouth", "Your own teeth and tongue are seen when you speak.", "Face")
    ] = True
    steadiness: Annotated[
        Percent,
        _about("Steadiness", "Higher: calmer when you hold still. Lower: quicker on small movements.", "Face", "%"),
    ] = 50
    shape: Annotated[
        Percent,
        _about(
            "Shape",
            "How far your face takes on the persona's proportions. It learns your own in a few seconds.",
            "Face",
            "%",
        ),
    ] = 60
    eye_colour: Annotated[
        Percent,
        _about(
            "Eye colour", "How far your own eyes take on the colour of the persona's, while they are kept.", "Face", "%"
        ),
    ] = 70
    mask_size: Annotated[
        Annotated[int, msgspec.Meta(ge=-50, le=50)],
        _about(
            "Mask size",
            "Grows or shrinks the swapped area. Much smaller, it leaves a lot of your own face.",
            "Blend",
            "%",
        ),
    ] = 0
    mask_softness: Annotated[
        Percent, _about("Mask softness", "How soft the edge of the swapped area is.", "Blend", "%")
    ] = 40
    occlusion: Annotated[
        Percent,
        _about(
            "Keep what is in front",
            "Hands, hair, glasses and microphones before your face stay in front of the persona. 0: off.",
            "Blend",
            "%",
        ),
    ] = 100
    match_neck: Annotated[
        Percent,
        _about(
            "Match neck and ears", "How far your own skin around the face takes on the persona's tone.", "Blend", "%"
        ),
    ] = 50
    colour_match: Annotated[
        Percent, _about("Colour match", "How far light and skin tone of the room go onto the persona.", "Blend", "%")
    ] = 70
    engine: Annotated[
        str,
        _about(
            "Engine",
            "What makes the face. 'Mesh' is built in and runs on any computer. The others are networks that you brought "
            "(facelive model add FILE): they want a good graphics card.",
            "Engine",
        ),
    ] = MESH
    identity_strength: Annotated[
        Annotated[int, msgspec.Meta(ge=50, le=200)],
        _about(
            "Identity strength",
            "With a network that takes the face from photos: 100 is the persona. More: away from your own face, beyond the "
            "persona. Less: towards your own; at 50 half of the face is you.",
            "Engine",
            "%",
        ),
    ] = 100
    pixel_boost: Annotated[
        Annotated[int, msgspec.Meta(ge=1, le=4)],
        _about(
            "Pixel boost",
            "With a network: its picture so many times as large a side, at that number times itself the cost (2: four times).",
            "Engine",
            "x",
        ),
    ] = 1
    enhancer: Annotated[
        str,
        _about(
            "Enhancer",
            "A network that you brought, which gives the swapped face more detail: GFPGAN, CodeFormer, GPEN, RestoreFormer++. "
            "It wants a good graphics card.",
            "Engine",
        ),
    ] = ""
    enhancer_blend: Annotated[
        Percent, _about("Enhancer strength", "How much of its detail the swapped face gets. 0: none.", "Engine", "%")
    ] = 80
    fidelity: Annotated[
        Percent,
        _about(
            "Fidelity",
            "With CodeFormer: 100 keeps the face as like as it can, 0 makes it as clear as it can.",
            "Engine",
            "%",
        ),
    ] = 50
    device: Annotated[
        Literal["auto", "cpu", "cuda", "tensorrt", "directml", "coreml", "openvino"],
        _about(
            "Device",
            "Where the engine's network runs. Automatic: the fastest of the devices that get the same answer as the CPU.",
            "Engine",
            choices={
                "auto": "Automatic",
                "cpu": "CPU",
                "cuda": "NVIDIA (CUDA)",
                "tensorrt": "NVIDIA (TensorRT)",
                "directml": "Windows (DirectML)",
                "coreml": "macOS (CoreML)",
                "openvino": "Intel (OpenVINO)",
            },
        ),
    ] = "auto"
    gpu: Annotated[
        Annotated[int, msgspec.Meta(ge=0, le=7)],
        _about("Graphics card", "Which one, where there are several: 1 lets OBS have the first for itself.", "Engine"),
    ] = 0
    gpu_memory_limit: Annotated[
        Annotated[int, msgspec.Meta(ge=0, le=65536)],
        _about(
            "Graphics memory",
            "How much of the card's memory a network may take, with CUDA and TensorRT. 0: no limit.",
            "Engine",
            "MB",
        ),
    ] = 0
    small_networks: Annotated[
        Literal["cpu", "same"],
        _about(
            "Small networks",
            "Where those run that find and follow faces. They are small: a graphics card mostly waits for them.",
            "Engine",
            choices={"cpu": "CPU", "same": "The device above, if it is not Automatic"},
        ),
    ] = "cpu"
    quality: Annotated[
        Literal["auto", "full"],
        _about(
            "Quality",
            "Automatic: where the computer is too slow, quality goes down step by step and the picture keeps moving.",
            "Engine",
            choices={"auto": "Automatic", "full": "Always full, even if the picture stutters"},
        ),
    ] = "auto"
    most_delay: Annotated[
        Annotated[int, msgspec.Meta(ge=50, le=500)],
        _about("Most delay", "Quality goes down before your picture comes later than this.", "Engine", "ms"),
    ] = 150
    badge: Annotated[
        Literal["top-right", "top-left", "bottom-right", "bottom-left", "off"],
        _about(
            "AI badge",
            "Says that the face is made by AI, as platforms and the EU's AI Act ask. A real person's face always carries it.",
            "Output",
            choices={
                "top-right": "Top right",
                "top-left": "Top left",
                "bottom-right": "Bottom right",
                "bottom-left": "Bottom left",
                "off": "Off",
            },
        ),
    ] = "top-right"
    badge_style: Annotated[
        Literal["words", "icon", "both"],
        _about(
            "Badge style",
            "What the badge shows.",
            "Output",
            choices={"words": "Words", "icon": "Sign", "both": "Sign and words"},
        ),
    ] = "both"
    badge_size: Annotated[
        Annotated[int, msgspec.Meta(ge=4, le=15)],
        _about("Badge size", "Its height, in parts of the picture's shorter side.", "Output", "%"),
    ] = 6
    badge_language: Annotated[
        Literal["en", "de", "fr", "es", "it", "pt", "nl", "pl", "tr", "uk", "ja", "zh", "ko"],
        _about(
            "Badge language",
            "The language of your viewers.",
            "Output",
            choices={
                "en": "English",
                "de": "Deutsch",
                "fr": "Français",
                "es": "Español",
                "it": "Italiano",
                "pt": "Português",
                "nl": "Nederlands",
                "pl": "Polski",
                "tr": "Türkçe",
                "uk": "Українська",
                "ja": "日本語",
                "zh": "中文",
                "ko": "한국어",
            },
        ),
    ] = "en"
    view: Annotated[
        Literal["result", "landmarks", "mask", "side"],
        _about(
            "View",
            "For setting up. 'Side by side' shows your bare face to everyone who watches.",
            "Output",
            choices={
                "result": "Result",
                "landmarks": "Landmarks",
                "mask": "Mask",
                "side": "Side by side (shows your bare face!)",
            },
        ),
    ] = "result"
