"""The container: golden bytes, and one refusal for every defect of the gzip member and of the ustar archive in it."""

import gzip
import hashlib
import io
import tarfile
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evidence.container.archive import ContainerReader, ustar, write_container
from evidence.container.gzip_stream import HEADER
from evidence.errors import EvidenceError
from evidence.limits import Limits

MEMBERS = {"manifest.json": b'{"a":1}', "events.ndjson": b"line\n" * 300, "reports/closure.json": b"{}"}


def written(members):
    out = io.BytesIO()
    write_container(out, [(name, len(content), content) for name, content in members.items()])
    return out.getvalue()


def packed(archive):
    """A gzip member with the fixed header around any archive."""
    deflate = zlib.compressobj(1, zlib.DEFLATED, -15)
    body = deflate.compress(archive) + deflate.flush()
    return HEADER + body + zlib.crc32(archive).to_bytes(4, "little") + (len(archive) & 0xFFFFFFFF).to_bytes(4, "little")


def archive(members):
    return gzip.decompress(written(members))


def read(data, limits=Limits()):  # noqa: B008 - frozen
    reader = ContainerReader(io.BytesIO(data), limits)
    members = {member.name: member.read() for member in reader.members()}
    return members, reader


def refused(data, words, limits=Limits()):  # noqa: B008 - frozen
    with pytest.raises(EvidenceError, match=words):
        read(data, limits)


def test_the_archive_of_known_members_has_its_golden_bytes():
    """Any change of the header's fixed fields changes this digest, and with it every container of every user."""
    assert (
        hashlib.sha256(archive(MEMBERS)).hexdigest()
        == "46abe226866d3a65027fd09f1e95745874fe959b81da4f755025cb92c633735f"
    )


def test_the_gzip_header_says_nothing_but_deflate():
    assert written(MEMBERS)[:10].hex() == "1f8b08000000000000ff"


def test_other_tools_read_the_container():
    with tarfile.open(fileobj=io.BytesIO(written(MEMBERS)), mode="r:gz") as tar:
        assert {info.name: tar.extractfile(info).read() for info in tar} == MEMBERS


@given(st.dictionaries(st.from_regex(ustar.NAME, fullmatch=True), st.binary(max_size=2000), max_size=4))
def test_what_was_written_is_read(members):
    data = written(members)
    content, reader = read(data)
    assert content == members
    assert list(content) == list(members)
    assert (reader.sha256_hex, reader.file_bytes) == (hashlib.sha256(data).hexdigest(), len(data))


def test_the_bytes_do_not_depend_on_how_content_arrives():
    content = bytes(range(256)) * 5000

    class Trickle(io.BytesIO):
        def read(self, size=-1):
            return super().read(min(size, 777))

    out = io.BytesIO()
    write_container(out, [("a", len(content), Trickle(content))])
    assert out.getvalue() == written({"a": content})


@pytest.mark.parametrize(
    "name", ["", "/a", "../a", "a/../b", "a//b", "a/", ".a", "a/.b", "a b", "ä", "a" * 101, "a\x00b", "a\n"]
)
def test_a_name_that_is_no_plain_relative_path_is_not_written(name):
    with pytest.raises(EvidenceError, match="member name"):
        ustar.encode(name, 0)


@pytest.mark.parametrize("size", [-1, 8**11])
def test_a_size_that_does_not_fit_eleven_octal_digits_is_not_written(size):
    with pytest.raises(EvidenceError, match="bytes"):
        ustar.encode("a", size)


@pytest.mark.parametrize("size", [4, 6])
def test_a_content_that_is_not_as_long_as_said_is_not_written(size):
    with pytest.raises(EvidenceError, match=r"expected .* bytes of content"):
        write_container(io.BytesIO(), [("a", size, io.BytesIO(b"12345"))])


def test_every_other_header_byte_is_refused():
    """Flipping any bit of a header gives another valid header (name or size with its checksum) or a refusal: never slack."""
    header = ustar.encode("events.ndjson", 1500)
    for position in range(len(header)):
        for bit in range(8):
            flipped = bytearray(header)
            flipped[position] ^= 1 << bit
            with pytest.raises(EvidenceError):
                ustar.decode(bytes(flipped))


HEADER_DEFECTS = {
    "time": {3: 1, 4: 1},
    "flag_name": {3: 8},
    "flag_text": {3: 1},
    "extra_flags": {8: 2},
    "operating_system": {9: 3},
    "method": {2: 7},
    "magic": {0: 0},
}


@pytest.mark.parametrize("defect", HEADER_DEFECTS)
def test_a_gzip_header_with_another_field_is_refused(defect):
    data = bytearray(written(MEMBERS))
    for position, value in HEADER_DEFECTS[defect].items():
        data[position] = value
    refused(bytes(data), "gzip header")


def test_bytes_after_the_member_are_refused():
    refused(written(MEMBERS) + b"\x00", "bytes after the end")


def test_a_second_gzip_member_is_refused():
    refused(written(MEMBERS) + written({}), "bytes after the end")


def test_a_wrong_crc_is_refused():
    data = bytearray(written(MEMBERS))
    data[-8] ^= 1
    refused(bytes(data), "trailer")


def test_a_wrong_length_is_refused():
    data = bytearray(written(MEMBERS))
    data[-1] ^= 1
    refused(bytes(data), "trailer")


def test_every_truncation_is_refused():
    data = written(MEMBERS)
    for end in range(len(data)):
        with pytest.raises(EvidenceError):
            read(data[:end])


def test_a_damaged_deflate_stream_is_refused():
    data = bytearray(written(MEMBERS))
    data[10] = 0xFF
    refused(bytes(data), "gzip|container|tar")


def test_an_archive_without_end_is_refused():
    refused(packed(archive(MEMBERS)[:-1024]), "ends early")


def test_an_archive_with_one_end_block_is_refused():
    refused(packed(archive(MEMBERS)[:-512]), "ends early")


def test_content_after_the_end_blocks_is_refused():
    refused(packed(archive(MEMBERS) + bytes(512)), "content after its expected end")


def test_an_end_block_followed_by_a_member_is_refused():
    refused(packed(bytes(512) + archive(MEMBERS)), "one zero block")


def test_padding_that_is_not_zero_is_refused():
    data = bytearray(archive(MEMBERS))
    data[512 + 7] = 1
    refused(packed(bytes(data)), "padding")


@pytest.mark.parametrize(
    "kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.DIRTYPE, tarfile.CHRTYPE, tarfile.GNUTYPE_SPARSE]
)
def test_a_member_that_is_no_regular_file_is_refused(kind):
    info = tarfile.TarInfo("manifest.json")
    info.type, info.linkname = kind, "/etc/passwd"
    refused(packed(info.tobuf(tarfile.USTAR_FORMAT) + ustar.END), "fixed|member name")


@pytest.mark.parametrize("field", ["mtime", "uid", "gid", "mode", "uname", "gname"])
def test_a_member_with_an_owner_time_or_mode_of_its_own_is_refused(field):
    info = tarfile.TarInfo("manifest.json")
    setattr(info, field, "root" if field.endswith("name") else 7)
    refused(packed(info.tobuf(tarfile.USTAR_FORMAT) + ustar.END), "fixed")


def test_a_pax_header_is_refused():
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as tar:
        info = tarfile.TarInfo("manifest.json")
        info.pax_headers = {"comment": "hidden"}
        tar.addfile(info)
    refused(packed(out.getvalue()), "member name|fixed")


def test_a_path_that_leaves_its_folder_is_refused():
    for name in ("../manifest.json", "/manifest.json"):
        refused(packed(tarfile.TarInfo(name).tobuf(tarfile.USTAR_FORMAT) + ustar.END), "member name")


def test_a_container_over_its_bound_is_refused():
    data = written(MEMBERS)
    refused(data, "larger than", Limits(bundle_bytes_max=len(data) - 1))


def test_a_member_over_the_decoded_bound_is_refused_before_it_is_inflated():
    refused(written({"a": bytes(1_000_000)}), "do not fit", Limits(decoded_bytes_max=100_000))


def test_a_gzip_bomb_behind_the_members_is_refused_at_its_first_byte():
    refused(packed(archive({}) + bytes(50_000_000)), "content after")


def test_too_many_members_are_refused():
    refused(written({f"m{number}": b"" for number in range(5)}), "more than 4 members", Limits(members_max=4))


def test_a_member_left_unread_is_skipped():
    reader = ContainerReader(io.BytesIO(written(MEMBERS)))
    assert [member.name for member in reader.members()] == list(MEMBERS)


def test_an_empty_file_is_called_empty():
    refused(b"", "gzip header: expected .*, got an empty file")
