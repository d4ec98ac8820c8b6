"""The loopback web: the same for the same seed, its pictures all different, its copies recognisable, its doors on loopback."""

from __future__ import annotations

import hashlib
import io
import json
import subprocess
import sys
import urllib.error
import urllib.request

import numpy as np
import pdqhash
import pytest
from PIL import Image

from vigil import settings as vigil_settings
from vigil_demo.world import FORMS, World
from vigil_demo.world.site import Answer

CACHE = vigil_settings.VAR / "demo-world"


@pytest.fixture(scope="module")
def world():
    with World(7, cache=CACHE) as world:
        yield world


def hashes_of(data):
    """Eight PDQ hashes as bits, and the quality, by a program that is not ours."""
    image = np.asarray(Image.open(io.BytesIO(data)).convert("RGB"))
    hashes, quality = pdqhash.compute_dihedral(image)
    return np.array(hashes, dtype=bool), quality


def get(url):
    host = url.split("/")[2].partition(":")[0]
    request = urllib.request.Request(url.replace(host, "127.0.0.1"), headers={"Host": host})
    with urllib.request.urlopen(request, timeout=5) as answer:
        return answer.read()


def test_it_is_as_large_as_promised(world):
    assert world.size["pages"] >= 300
    assert world.size["pictures"] >= 400
    assert len(world.originals) == 12
    visible = [copy for copy in world.copies if not copy.is_hidden_by_robots]
    assert {(copy.listed, copy.form) for copy in visible} == {(n, form) for n in range(12) for form in FORMS}
    assert any(copy.is_hidden_by_robots for copy in world.copies)


def test_one_seed_is_one_web_and_another_seed_another(world):
    port = f":{world.port}"
    with World(7, cache=CACHE) as again, World(8, listed=2) as other:
        same = [copy.url.replace(f":{again.port}", port) for copy in again.copies]
        assert same == [copy.url for copy in world.copies]
        assert [copy.sha256 for copy in again.copies] == [copy.sha256 for copy in world.copies]
        assert not {copy.sha256 for copy in other.originals} & {copy.sha256 for copy in world.originals}


def test_every_listed_picture_is_far_from_every_other_picture_in_all_orientations(world):
    listed = {original.listed: hashes_of(world.picture_at(original.url)) for original in world.originals}
    ours = {place.url for place in (*world.originals, *world.copies)}
    others = [hashes_of(data)[0] for url, data in world.all_pictures() if url not in ours]
    for number, (hashes, quality) in listed.items():
        assert quality >= 80
        rest = [other for n, (other, _quality) in listed.items() if n != number]
        nearest = min(int((orientation ^ hashes[0]).sum()) for other in others + rest for orientation in other)
        assert nearest > 2 * 31


def test_every_copy_is_near_its_original(world):
    listed = {original.listed: hashes_of(world.picture_at(original.url))[0][0] for original in world.originals}
    for copy in world.copies:
        data = world.picture_at(copy.url)
        distance = min(int((orientation ^ listed[copy.listed]).sum()) for orientation in hashes_of(data)[0])
        assert distance <= 24
        is_same = hashlib.sha256(data).hexdigest() == world.originals[copy.listed].sha256
        assert is_same == (copy.form == "exact")


def test_a_page_shows_what_the_truth_says(world):
    for place in (*world.originals, *world.copies):
        assert place.url.partition(str(world.port))[2].encode() in get(place.page_url)
        assert get(place.url) == world.picture_at(place.url)


def test_what_is_taken_down_is_gone_and_comes_back(world):
    url = world.originals[3].url
    assert world.take_down(url) is True
    with pytest.raises(urllib.error.HTTPError) as gone:
        get(url)
    assert gone.value.code == 410
    world.answer_with(url, Answer(body=b"words"))
    assert get(url) == b"words"
    world.put_back(url)
    assert get(url) == world.picture_at(url)
    assert world.take_down("http://nobody.localhost/") is False


def test_it_runs_as_a_process_with_a_control_door():
    command = [sys.executable, "-m", "vigil_demo.world", "--seed", "7", "--cache", str(CACHE)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        ready = dict(item.split("=") for item in process.stdout.readline().split()[1:])
        control = f"http://127.0.0.1:{ready['control_port']}"
        truth = json.loads(get(f"{control}/truth"))
        url = truth["originals"][0]["url"]
        body = json.dumps({"url": url}).encode()
        with urllib.request.urlopen(
            urllib.request.Request(f"{control}/take-down", body, method="POST"), timeout=5
        ) as answer:
            assert json.loads(answer.read()) == {"taken_down": True}
        with pytest.raises(urllib.error.HTTPError) as gone:
            get(url)
        assert gone.value.code == 410
        process.terminate()
        assert process.wait(timeout=10) == 0
