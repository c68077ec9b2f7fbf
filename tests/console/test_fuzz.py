"""No file that is given to a command ends it as an error of ours: broken ones of every kind are told of, by name.

Valid files are broken at random, as disks, editors and other programs break them. Longer, and by other random numbers
each time: `make fuzz`.
"""

from __future__ import annotations

import gzip
import io
import json
import os
import random
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import fastavro
import polars as pl
import pytest
from click.exceptions import ClickException
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from typer.testing import CliRunner

from console.app import build
from console.ledger import kept_in
from seamwatch.errors import SeamwatchError
from seamwatch.testing import T0, event_id
from seamwatch.wire.schemas import plain, schema
from seamwatch.wire.text import record_of
from sinks.ledger.format.notes import VerifierKey
from tests.signing.folder import CONTRACT, SYSTEM

ROOT = Path(__file__).parents[2]
TRIES = int(os.environ.get("SEAMWATCH_FUZZ", "0"))
"""How many broken files of each kind; 0: a few, the same every time."""
FEW = 12
KEY = json.loads((ROOT / "docs" / "ledger-vector.json").read_text("utf-8"))["verifier_key"]
ODCS = [path.read_bytes() for path in (ROOT / "tests" / "odcs" / "standard").glob("**/*.yaml")]
EVENTS = [
    {"type": "tool_call", "event_id": event_id(str(n)), "event_time": T0 + n, "system": "agent", "version": "1",
     "tool": "run", "arguments": '{"a": [1, {"b": null}]}', "decision": "allowed", "confidence": 0.5,
     "attributes": [{"key": "größe", "value": "\U0001f600"}]}
    for n in range(60)
]  # fmt: skip
WORDS = (
    b"\x00", b"\xff", b"\xed\xa0\xbd", b"\\ud83d", b'"', b"{", b"[", b"]", b"}", b"null", b"NaN", b"1e999", b"-", b": ",
    b"\n", b"\r", b"\t", b"&a *a", b"!!python/object", b"%", b"---\n", b"9" * 400, b"\x80" * 9 + b"\x01", b"[" * 400,
    b"2026-02-30T00:00:00Z", b"Obj\x01", b"PAR1", b"\x1f\x8b", "\u2028\ufeff\u202e".encode(),
)  # fmt: skip


def ndjson() -> bytes:
    return "".join(json.dumps(event, ensure_ascii=False) + "\n" for event in EVENTS).encode()


def avro() -> bytes:
    stream = io.BytesIO()
    records = [record_of(event)[1] for event in EVENTS]
    fastavro.writer(stream, plain(schema("tool_call").definition), records, codec="deflate", sync_interval=800)
    return stream.getvalue()


def parquet() -> bytes:
    stream = io.BytesIO()
    pl.DataFrame(EVENTS).write_parquet(stream, row_group_size=20)
    return stream.getvalue()


def pem() -> bytes:
    key = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def signatures() -> bytes:
    digest, signature = (
        "d" * 64,
        "hjBuoXyeZQZVPh7Mr4bDBOhO49HYPehkkrmiQDIkgNikTAWv21/p50WgHqXeB3Dy+zQhEeyoz5Yuo8MHxCoPCQ==",
    )
    return f"Contract/credit-limits@1 {digest} lead@example.org lead-1 2026-03-02T09:30:00Z {signature}\n".encode() * 2


KINDS: dict[str, tuple[Callable[[], bytes], str, tuple[str, ...]]] = {
    "ndjson": (ndjson, "events", ("replay", "--contracts", "{docs}", "{file}")),
    "gzip": (lambda: gzip.compress(ndjson()), "events", ("replay", "--contracts", "{docs}", "{file}")),
    "avro": (avro, "events", ("replay", "--contracts", "{docs}", "{file}")),
    "parquet": (parquet, "events", ("replay", "--contracts", "{docs}", "{file}")),
    "documents": (lambda: f"{SYSTEM}---\n{CONTRACT}".encode(), "docs/more.yaml", ("contracts", "check", "{docs}")),
    "signatures": (signatures, "docs/credit.yaml.sig", ("contracts", "verify", "{docs}")),
    "odcs": (lambda: min(ODCS, key=len), "feed.yaml",
             ("contracts", "import", "--odcs", "{file}", "--owner", "lead@example.org")),
    "key": (pem, "key.pem", ("keys", "show", "{file}", "--id", "x")),
    "ledger key": (lambda: f"{KEY}\n".encode(), "ledger.pub", ("verify", "--proof", "{proof}", "--key", "{file}")),
    "proof": (lambda: (ROOT / "docs" / "ledger-vector.tlog-proof").read_bytes(), "x.tlog-proof",
              ("verify", "--proof", "{file}", "--key", "{public}")),
}  # fmt: skip


def broken(content: bytes, chance: random.Random) -> bytes:
    """A file with a few of its bytes changed, cut, repeated, or replaced by what has a meaning somewhere."""
    made = bytearray(content)
    for _ in range(chance.choice((1, 1, 2, 5))):
        at = chance.randrange(len(made) + 1)
        match chance.randrange(6):
            case 0 if at < len(made):
                made[at] ^= 1 << chance.randrange(8)
            case 1:
                made[at:at] = chance.choice(WORDS)
            case 2:
                del made[at : at + chance.choice((1, 3, 40))]
            case 3:
                del made[at:]
            case 4:
                made[at : at + 4] = chance.randbytes(4)
            case _:
                part = made[at : at + chance.choice((1, 30, 300))]
                made[at:at] = part * chance.choice((1, 2, 20))
    return bytes(made)


@pytest.mark.parametrize("kind", KINDS)
def test_whatever_is_in_a_file_is_no_error_of_ours(kind: str, tmp_path: Path) -> None:
    make, name, arguments = KINDS[kind]
    docs, file, public = tmp_path / "docs", tmp_path / name, tmp_path / "public"
    docs.mkdir()
    (docs / "credit.yaml").write_text(f"{SYSTEM}---\n{CONTRACT}", "utf-8")
    public.write_text(f"{KEY}\n", "utf-8")
    known = {
        "docs": docs, "file": file, "public": public, "proof": ROOT / "docs" / "ledger-vector.tlog-proof"
    }  # fmt: skip
    command, content, app = [argument.format(**known) for argument in arguments], make(), build()
    chance = random.Random(kind if not TRIES else None)
    for number in range(1 + (TRIES or FEW)):
        given = content if number == 0 else broken(content, chance)
        file.write_bytes(given)
        result = CliRunner().invoke(app, command)
        error = result.exception
        if isinstance(error, SystemExit):
            assert error.code in (0, 1, 2, 3)
        elif not isinstance(error, SeamwatchError | ClickException | None):
            kept = tmp_path / f"broken-{number}"
            kept.write_bytes(given)
            pytest.fail(f"{kind}: {kept} ends it with {error!r}")
        elif isinstance(error, SeamwatchError):
            assert error.exit_code in (1, 2, 3)
            str(error).encode()


def test_whatever_is_in_a_file_of_checkpoints_is_no_error_of_ours(tmp_path: Path) -> None:
    proof = (ROOT / "docs" / "ledger-vector.tlog-proof").read_bytes()
    content, file, chance = proof[proof.index(b"\n\n") + 2 :] * 3, tmp_path / "kept", random.Random(7)
    for number in range(1 + 10 * (TRIES or FEW)):
        file.write_bytes(broken(content, chance) if number else content)
        with suppress(SeamwatchError):
            kept_in(file, [VerifierKey.parse(KEY)])
