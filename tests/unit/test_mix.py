"""People mixed of people who do not exist."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import cv2
import msgspec
import numpy as np
import pytest
from typer.testing import CliRunner

from obs_facelive import mixing
from obs_facelive.cli import app
from obs_facelive.frame import Floats, Pixels
from obs_facelive.home import Home
from obs_facelive.identity import enrolment
from obs_facelive.mixing import SHIPPED, TOO_NEAR, Mixer, make_shipped
from obs_facelive.personas.bank import Bank, matched, mix_banks
from obs_facelive.personas.collage import REGIONS, Collage, put_together, regions, take_apart
from obs_facelive.personas.library import INFO_FILE, Persona, PersonaError, PersonaInfo, load_persona, save_persona
from obs_facelive.personas.likeness import likeness
from obs_facelive.personas.mix import mix
from obs_facelive.personas.recipe import Recipe, recipe_of, shipped_recipes
from obs_facelive.personas.variation import bearded, vary
from obs_facelive.swap.light import LUMA, log_odds
from obs_facelive.topology import CanonicalFace, load_canonical_face
from tools.openpeople import PEOPLE

INFO = PersonaInfo(id="child", name="Child", kind="synthetic", origin="mix")


@pytest.fixture(scope="module")
def canonical(models: Path) -> CanonicalFace:
    return load_canonical_face(models)


@pytest.fixture(scope="module")
def people() -> dict[str, Persona]:
    home = Home.find()
    return {name.lower(): load_persona(home.personas / name.lower()) for name in PEOPLE.values()}


@pytest.fixture(scope="module")
def mixer(models: Path, tmp_path_factory: pytest.TempPathFactory) -> Mixer:
    """In a library of its own, of three."""
    return Mixer(library(tmp_path_factory.mktemp("home"), models))


def library(root: Path, models: Path) -> Home:
    home = Home(root)
    root.mkdir(exist_ok=True)
    home.models.symlink_to(models)
    for name in ("amina", "darius", "priya"):
        shutil.copytree(Home.find().personas / name, home.personas / name)
    return home


def home_of(mixer: Mixer) -> Home:
    return mixer._home


def recipe(name: str = "Child", seed: int = 4, parents: tuple[str, ...] = ("amina", "priya")) -> Recipe:
    return Recipe(name=name, parents=parents, ratio=(60, 40), seed=seed)


def fine(texture: Pixels, canonical: CanonicalFace, region: str) -> Floats:
    """What is finer than a hundredth of the face in one region: (n,) log-odds of brightness."""
    luma = log_odds(texture.astype(np.float32)) @ LUMA
    detail = luma - cv2.GaussianBlur(luma, (0, 0), len(texture) * 0.01)
    return np.asarray(detail[regions(canonical, len(texture), 0.007)[REGIONS.index(region)] > 0.95], np.float32)


def test_a_mix_is_a_persona_with_its_recipe(mixer: Mixer) -> None:
    child = load_persona(mixer.make(recipe()))
    info = child.info
    assert (info.kind, info.origin, info.real) == ("synthetic", "mix", False)
    parents = [load_persona(home_of(mixer).personas / name).info for name in ("amina", "priya")]
    assert info.recipe["parents"] == [{"id": parent.id, "digest": parent.digest} for parent in parents]
    assert (info.recipe["ratio"], info.recipe["seed"]) == ([60, 40], 4)
    assert info.licence == "MIT" and "Amina and Priya" in info.source
    assert child.texture.shape == (768, 768, 3) and len(child.expressions) == 9 and len(child.gaps) == 2
    assert np.linalg.norm(child.embedding) == pytest.approx(1, abs=1e-3)
    assert mixer.is_made(recipe()) and not mixer.is_made(recipe(seed=5)) and not mixer.is_made(recipe("Nobody"))


def test_the_same_recipe_makes_the_same_files(mixer: Mixer, models: Path, tmp_path: Path) -> None:
    folders = mixer.make(recipe("Same")), Mixer(library(tmp_path / "other", models)).make(recipe("Same"))
    contents = [{file.name: file.read_bytes() for file in folder.iterdir()} for folder in folders]
    assert contents[0] == contents[1] and len(contents[0]) == 3


def test_seeds_and_ratios_make_many_people(people: dict[str, Persona], canonical: CanonicalFace) -> None:
    parents = [people["amina"], people["rafael"]]
    pictures = {
        (seed, weight): likeness(mix(INFO, parents, [weight, 1 - weight], seed, canonical), canonical)[0]
        for seed, weight in ((1, 0.5), (2, 0.5), (3, 0.5), (1, 0.8))
    }
    faces = [picture.astype(np.float32) for picture in pictures.values()]
    apart = [np.abs(one - two).mean() for i, one in enumerate(faces) for two in faces[:i]]
    assert min(apart) > 0.5, "two of them are the same picture"


def test_what_comes_from_whom_follows_the_ratio() -> None:
    first = np.mean([[owner == 0 for owner in vary([0.8, 0.2], seed).owners] for seed in range(60)])
    assert 0.65 < first < 0.9
    assert len({vary([0.5, 0.5], seed).owners for seed in range(60)}) > 12


@pytest.mark.parametrize("seed", range(2))
def test_every_feature_is_whole_and_one_persons(
    seed: int, people: dict[str, Persona], canonical: CanonicalFace
) -> None:
    """Neither ghosts of two pairs of brows, nor skin without pores."""
    parents = [people["leila"], people["rafael"]]
    child = mix(INFO, parents, [0.5, 0.5], seed, canonical)
    owners = vary([0.5, 0.5], seed).owners
    for region in ("brows", "eyes", "mouth"):
        own, other = (fine(parents[(owners[REGIONS.index(region)] + k) % 2].texture, canonical, region) for k in (0, 1))
        got = fine(child.texture, canonical, region)
        assert np.corrcoef(got, own)[0, 1] > 0.9 > 0.8 > np.corrcoef(got, other)[0, 1], region
        assert got.std() > 0.5 * own.std(), region


def test_a_mean_of_textures_would_be_found_out(people: dict[str, Persona], canonical: CanonicalFace) -> None:
    parents = [people["leila"], people["rafael"]]
    mean = np.asarray(np.mean([parent.texture for parent in parents], axis=0), np.uint8)
    likest = max(
        float(np.corrcoef(fine(mean, canonical, "brows"), fine(parent.texture, canonical, "brows"))[0, 1])
        for parent in parents
    )
    assert likest < 0.98
    both = [
        float(np.corrcoef(fine(mean, canonical, "brows"), fine(p.texture, canonical, "brows"))[0, 1]) for p in parents
    ]
    assert min(both) > 0.3, "the mean has both pairs of brows"


def test_tone_iris_and_neutral_lie_between_the_parents(people: dict[str, Persona], canonical: CanonicalFace) -> None:
    parents = [people["clara"], people["malik"]]
    for seed in range(2):
        child = mix(INFO, parents, [0.5, 0.5], seed, canonical)
        for array in ("skin", "iris", "neutral"):
            values = [getattr(parent, array) for parent in parents]
            slack = 0.12 if array == "skin" else 1e-5  # features have a share in the skin's mean
            assert (getattr(child, array) >= np.min(values, axis=0) - slack).all(), array
            assert (getattr(child, array) <= np.max(values, axis=0) + slack).all(), array


def test_a_shape_keeps_its_bounds(people: dict[str, Persona], canonical: CanonicalFace) -> None:
    parents = [people["darius"], people["zola"]]
    for seed in range(3):
        child = mix(INFO, parents, [0.5, 0.5], seed, canonical)
        mean = np.mean([parent.shape for parent in parents], axis=0)
        assert np.linalg.norm(child.shape - mean, axis=1).max() < 1.5, "centimetres"


def test_real_parents_are_refused(people: dict[str, Persona], canonical: CanonicalFace) -> None:
    real = msgspec.structs.replace(people["amina"].info, kind="self", name="Ann")
    declared = msgspec.structs.replace(people["amina"].info, origin="photo", name="Bo")
    for info in (real, declared):
        with pytest.raises(PersonaError, match=f"'{info.name}' counts as a real person's face"):
            mix(INFO, [replace(people["amina"], info=info), people["priya"]], [0.5, 0.5], 1, canonical)


def test_a_texture_taken_apart_is_whole_again(people: dict[str, Persona], canonical: CanonicalFace) -> None:
    texture = people["darius"].texture
    layers = take_apart(texture, canonical, len(texture))
    again = put_together(layers).astype(int)
    inside = (texture > 8) & (texture < 247)
    assert np.abs(again - texture)[inside].max() <= 1
    luma = layers.tone @ LUMA
    assert np.ptp(luma[100:600:20, 250:520:20]) < 1.2, "a beard is no skin tone"


def test_regions_are_all_of_the_face_and_symmetric(canonical: CanonicalFace) -> None:
    masks = regions(canonical, 128, 0.02)
    assert masks.sum(0) == pytest.approx(np.ones((128, 128)), abs=1e-4)
    assert masks == pytest.approx(masks[..., ::-1], abs=0.02)
    assert (masks.reshape(6, -1).mean(1) > 0.01).all()


def test_a_collage_of_one_is_that_one(canonical: CanonicalFace) -> None:
    layer = np.random.default_rng(1).normal(0, 1, (256, 256, 3)).astype(np.float32)
    shares = np.zeros((6, 2), np.float32)
    shares[:, 0] = 1
    assert Collage(canonical, 256, shares).of([layer, -layer]) == pytest.approx(layer, abs=1e-4)


def bank(*expressions: int, strength: float = 0.5, value: int = 10) -> Bank:
    """One with these blendshapes up, and lines that say which."""
    vectors = np.zeros((len(expressions), 52), np.float32)
    vectors[np.arange(len(expressions)), list(expressions)] = strength
    lines = (
        np.stack([np.full((16, 16), value + n, np.int8) for n in expressions]) if expressions else np.zeros((0, 16, 16))
    )
    return Bank(vectors, np.zeros(52, np.float32), lines.astype(np.int8))


def half(lines: list[Floats]) -> Floats:
    return np.asarray(np.mean(lines, axis=0), np.float32)


def test_expressions_are_matched_by_what_they_do() -> None:
    assert matched(bank(3, 5, 9).changes, bank(9, 3, 20).changes) == [1, -1, 0]


def test_a_bank_mixed_with_itself_stays() -> None:
    one = bank(3, 5, 9)
    mixed = mix_banks([one, one], [0.3, 0.7], half)
    assert mixed.expressions == pytest.approx(one.expressions, abs=1e-6)
    assert np.array_equal(mixed.lines, one.lines)


def test_lines_of_the_same_expression_are_mixed_and_others_kept() -> None:
    mixed = mix_banks([bank(3, 5), bank(5, value=30)], [0.6, 0.4], half)
    assert mixed.expressions.argmax(1).tolist() == [3, 5], "the lead's expressions"
    assert mixed.lines[0, 0, 0] == 13, "nobody else has it"
    assert mixed.lines[1, 0, 0] == (15 + 35) / 2


def test_a_stronger_expression_counts_by_what_it_does() -> None:
    mixed = mix_banks([bank(3, strength=0.4, value=37), bank(3, strength=0.8, value=37)], [0.5, 0.5], half)
    assert mixed.expressions[0, 3] == pytest.approx(0.6)
    assert mixed.lines[0, 0, 0] == round((40 * 1.5 + 40 * 0.75) / 2)


def test_who_has_no_bank_takes_part_without() -> None:
    assert len(mix_banks([bank(), bank(4)], [0.9, 0.1], half).lines) == 1
    assert mix_banks([bank(), bank()], [0.5, 0.5], half).lines.shape == (0, 16, 16)


@pytest.mark.parametrize(
    ("parents", "ratio", "words"),
    [
        (["a"], "", "2 to 6 parents, and 1 are named"),
        (list("abcdefg"), "", "and 7 are named"),
        (["a", "b"], "60", "1 numbers, and there are 2 parents"),
        (["a", "b"], "60:40:10", "3 numbers"),
        (["a", "b"], "much:little", "write whole numbers"),
        (["a", "b"], "60:0", "write whole numbers from 1"),
        (["a", "b"], "60:-40", "write whole numbers"),
        (["a", "b"], "0.6:0.4", "write whole numbers"),
        (["a", "a"], "", "named twice"),
    ],
)
def test_what_cannot_be_mixed_is_said(parents: list[str], ratio: str, words: str) -> None:
    with pytest.raises(PersonaError, match=words):
        recipe_of("Child", parents, ratio, 1)


def test_equal_shares_without_a_ratio() -> None:
    assert recipe_of("Child", ["a", "b", "c"], "", 1).weights == pytest.approx([1 / 3] * 3)
    assert recipe_of("Child", ["a", "b"], "3:1", 1).weights == [0.75, 0.25]


def test_the_shipped_recipes_are_of_the_shipped_people() -> None:
    recipes = shipped_recipes()
    assert len(recipes) == 12 and len({r.id for r in recipes} | {name.lower() for name in PEOPLE.values()}) == 20
    assert {parent for r in recipes for parent in r.parents} == {name.lower() for name in PEOPLE.values()}
    assert min(r.id for r in recipes) > "amina", "the first of all stays who is worn if nobody is named"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[[mix]]\nname = 'A'\nparents = ['b', 'c']\nratio = [1]\nseed = 1", "as many numbers"),
        ("[[mix]]\nname = 'A'\nparents = ['b']\nratio = [1]\nseed = 1", "length >= 2"),
        ("[[mix]]\nname = 'A'\nparents = ['b', 'c']\nratio = [1, 0]\nseed = 1", "int` >= 1"),
        ("[[mix]]\nname = 'A'\nparents = ['b', 'c']\nratio = [1, 1]\nseed = 1\nface = 'x'", "unknown field `face`"),
        ("[[mix]]\nname = 'A'\nparents = ['b', 'c']\nratio = [1, 1]\nseed = 1\n" * 2, "two mixes with the id a"),
        ("mix", "mixes.toml"),
    ],
)
def test_a_malformed_recipe_is_said(text: str, words: str, tmp_path: Path) -> None:
    (tmp_path / "mixes.toml").write_text(text)
    with pytest.raises(PersonaError, match=words):
        shipped_recipes(tmp_path / "mixes.toml")


def test_a_beard_is_told_from_stubble(people: dict[str, Persona]) -> None:
    assert [name for name, persona in people.items() if bearded(persona.texture)] == ["darius"]


def test_a_mix_is_never_like_a_real_person_in_the_library(mixer: Mixer, people: dict[str, Persona]) -> None:
    home, child = home_of(mixer), load_persona(mixer.make(recipe("Twin")))
    ann = PersonaInfo(id="ann", name="Ann", kind="granted")
    folder = save_persona(home.personas, replace(child, info=ann), np.zeros((256, 256, 3), np.uint8))
    try:
        with pytest.raises(PersonaError, match=r"too much like 'Ann', a real person. Take another seed"):
            mixer.make(recipe("Twin"))
        # One that looks away from it by just enough is another person.
        away = np.eye(128, dtype=np.float32)[0]
        away -= away @ child.embedding * child.embedding
        near = TOO_NEAR - 0.02
        vector = near * child.embedding + np.sqrt(1 - near**2) * away / np.linalg.norm(away)
        save_persona(home.personas, replace(child, info=ann, embedding=vector.astype(np.float32)), _grey())
        mixer.make(recipe("Twin"))
        # Without a kept embedding the photo speaks.
        mixed = cv2.imread(str(home.personas / "twin" / "thumbnail.jpg"))
        assert mixed is not None
        bare = replace(child, info=ann, embedding=np.zeros(0, np.float32))
        save_persona(home.personas, bare, np.asarray(mixed, np.uint8))
        with pytest.raises(PersonaError, match="'Ann'"):
            mixer.make(recipe("Twin"))
    finally:
        shutil.rmtree(folder)


def _grey() -> Pixels:
    return np.full((256, 256, 3), 128, np.uint8)


def test_a_mix_is_never_like_the_enrolled_owner(models: Path, tmp_path: Path) -> None:
    mixer = Mixer(library(tmp_path, models))
    child = load_persona(mixer.make(recipe()))
    enrolment.save(home_of(mixer), enrolment.Enrolment.of([child.embedding] * 12))
    with pytest.raises(PersonaError, match=r"too much like the enrolled owner of this camera"):
        mixer.make(recipe())
    file = enrolment.enrolment_file(home_of(mixer))
    file.write_bytes(file.read_bytes()[:-5])
    with pytest.raises(PersonaError, match="must not look like you, and that cannot be seen now"):
        mixer.make(recipe())
    enrolment.delete(home_of(mixer))
    mixer.make(recipe())


def test_a_mix_takes_nobody_elses_place(mixer: Mixer) -> None:
    before = (home_of(mixer).personas / "darius" / INFO_FILE).read_bytes()
    with pytest.raises(PersonaError, match="another persona 'darius' already: choose another name"):
        mixer.make(recipe("Darius"))
    assert (home_of(mixer).personas / "darius" / INFO_FILE).read_bytes() == before
    with pytest.raises(PersonaError, match=r"no persona 'nobody' to be mixed. There are: amina, "):
        mixer.make(recipe(parents=("amina", "nobody")))
    mixer.make(recipe("Mother"))
    with pytest.raises(PersonaError, match="another persona 'mother' already"):
        mixer.make(recipe("Mother"), SHIPPED)
    with pytest.raises(PersonaError, match="one of the parents"):
        mixer.make(recipe("Mother", parents=("mother", "amina")))


def test_set_up_goes_on_where_one_cannot_be_mixed(
    mixer: Mixer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "mixes.toml"
    text = "[[mix]]\nname = '{}'\nparents = ['amina', 'priya']\nratio = [1, 1]\nseed = 8\n"
    file.write_text(text.format("Darius") + text.format("Fresh"))
    monkeypatch.setattr(mixing, "shipped_recipes", lambda: shipped_recipes(file))
    said: list[str] = []
    make_shipped(home_of(mixer), said.append)
    make_shipped(home_of(mixer), said.append)
    left_out = "Darius: left out, since there is another persona 'darius' already: choose another name."
    assert said == [left_out, "Fresh: mixed (2 of 2)", left_out, "Fresh: there already"]
    assert load_persona(home_of(mixer).personas / "fresh").info.pack == SHIPPED


def test_the_command(mixer: Mixer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FACELIVE_HOME", str(home_of(mixer).root))
    monkeypatch.setenv("COLUMNS", "400")

    def facelive(*arguments: str) -> tuple[int, str]:
        result = CliRunner().invoke(app, ["persona", "mix", *arguments])
        assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
        return result.exit_code, result.output

    assert facelive("amina", "darius", "--ratio", "70:30", "--seed", "9", "--name", "Kim Mix")[0] == 0
    assert load_persona(home_of(mixer).personas / "kim-mix").info.recipe["ratio"] == [70, 30]
    assert load_persona(home_of(mixer).personas / "kim-mix").info.pack == ""
    assert facelive("amina", "darius", "--ratio", "70")[0] == 2
    assert facelive()[0] == 2 and facelive("amina", "--shipped")[0] == 2
    code, said = facelive("amina", "nobody")
    assert code == 1 and "no persona 'nobody'" in said
