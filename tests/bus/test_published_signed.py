"""What is not signed by all who must is told when it is published, or refused, and then nothing of it is in force."""

from __future__ import annotations

from pathlib import Path

import pytest

from bus.documents import ContractsFollower, Publication, publish
from console.keys import public_of, read_private_key
from seamwatch.documents.loading import load
from seamwatch.errors import DocumentError
from seamwatch.settings import load_settings
from tests.signing.folder import Folder, prepare
from tests.streams.stages import Scene
from tests.waiting import wait_for


@pytest.fixture
def documents(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Folder:
    """Documents that all have signed who must."""
    place = tmp_path / "signed"
    place.mkdir()
    made = prepare(place, monkeypatch)
    made.sign("lead", "product", "risk")
    return made


def test_a_line_that_is_moved_unsigned_is_told_or_refused(scene: Scene, documents: Folder) -> None:
    follower = ContractsFollower(scene.kafka, scene.prefix)

    def done(*, signed: bool) -> Publication:
        return publish(follower, load(documents.path), load_settings().clock(), signed=signed)

    assert done(signed=True).unsigned == ()
    documents.edit('version: "1"', 'version: "2"')
    documents.edit("score >= 0.62", "score >= 0.50")
    documents.sign("lead")
    told = "credit-limits@2 (product@example.org, risk@example.org)"
    wait_for(lambda: follower.poll(0.1) and len(follower.messages) == 5, "the first version")
    before = follower.messages
    with pytest.raises(DocumentError, match="nothing is published") as raised:
        done(signed=True)
    assert told in str(raised.value)
    assert not follower.poll(0.5)
    assert follower.messages == before
    published = done(signed=False)
    assert (published.new, published.unsigned) == (("Contract/credit-limits@2",), (told,))
    documents.sign("product", "risk")
    assert done(signed=True).unsigned == ()

    one, two = (public_of(read_private_key(documents.key("lead", n))) for n in (1, 2))
    documents.edit(one, two, "people.yaml")
    documents.sign_with("lead", 2)
    with pytest.raises(DocumentError, match=r"changes of lead@example\.org"):
        done(signed=True)
    follower.close()
