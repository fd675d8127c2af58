import hashlib
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest

from torchfit.exceptions import DataError
from torchfit.files.download import demand_unchanged, download, published_sha1
from torchfit.surveys import mastar_files
from torchfit.surveys.mastar_files import find_files, parameter_file

CONTENT = np.random.default_rng(0).bytes(3_000_000)
SHA1 = hashlib.sha1(CONTENT).hexdigest()


class Server(ThreadingHTTPServer):
    """A loopback server; it notes what was asked for, and breaks off when told to."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.files = {"/d/file.gz": CONTENT}
        self.ranges, self.break_after, self.etag, self.knows_ranges = [], [], '"one"', True

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_port}/d/file.gz"


class Handler(BaseHTTPRequestHandler):
    def log_message(self, *arguments):
        pass

    def do_GET(self):
        server = self.server
        if self.path not in server.files:
            return self.send_error(404)
        content = server.files[self.path]
        start = self.start_of_range(content)
        if start is None:
            return None
        self.send_header("Content-Length", str(len(content) - start))
        if server.etag:
            self.send_header("ETag", server.etag)
        self.end_headers()
        stop = start + server.break_after.pop(0) if server.break_after else None
        self.wfile.write(content[start:stop])
        self.close_connection = True
        return None

    def start_of_range(self, content):
        asked, server = self.headers.get("Range"), self.server
        server.ranges.append(asked)
        if not asked or not server.knows_ranges or self.headers.get("If-Range") != server.etag:
            self.send_response(200)
            return 0
        start = int(asked.removeprefix("bytes=").rstrip("-"))
        if start >= len(content):
            self.send_response(416)
            self.send_header("Content-Range", f"bytes */{len(content)}")
            self.end_headers()
            return None
        self.send_response(206)
        return start


@pytest.fixture
def server():
    with Server() as server:
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        yield server
        server.shutdown()


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_a_file_and_its_sum(server, tmp_path, capfd):
    path = download(server.url, tmp_path / "new" / "file.gz", SHA1)
    assert path.read_bytes() == CONTENT
    assert names(path.parent) == ["file.gz", "file.gz.sha256"]
    sha256 = hashlib.sha256(CONTENT).hexdigest()
    assert (tmp_path / "new" / "file.gz.sha256").read_text() == sha256
    assert "fetching file.gz" in capfd.readouterr().err


def test_a_broken_connection_goes_on_where_it_was(server, tmp_path):
    server.break_after = [1_000_000, 500_000]
    assert download(server.url, tmp_path / "file.gz", SHA1).read_bytes() == CONTENT
    assert server.ranges == [None, "bytes=1000000-", "bytes=1500000-"]


def test_a_server_that_stays_away_keeps_what_came_for_the_next_call(server, tmp_path):
    server.break_after = [1_000_000] + [0] * 5
    with pytest.raises(DataError, match="1 MB are kept, the same command goes on from there"):
        download(server.url, tmp_path / "file.gz", SHA1)
    assert names(tmp_path) == ["file.gz.part", "file.gz.part.version"]
    server.ranges.clear()
    assert download(server.url, tmp_path / "file.gz", SHA1).read_bytes() == CONTENT
    assert server.ranges == ["bytes=1000000-"]
    assert names(tmp_path) == ["file.gz", "file.gz.sha256"]


def test_a_file_that_was_exchanged_meanwhile_is_fetched_whole(server, tmp_path):
    server.break_after = [1_000_000] + [0] * 5
    with pytest.raises(DataError):
        download(server.url, tmp_path / "file.gz")
    server.etag, server.files["/d/file.gz"] = '"two"', CONTENT[::-1]
    assert download(server.url, tmp_path / "file.gz").read_bytes() == CONTENT[::-1]


@pytest.mark.parametrize(("etag", "knows_ranges"), [("", True), ('"one"', False)])
def test_a_server_that_cannot_resume(server, tmp_path, etag, knows_ranges):
    server.etag, server.knows_ranges, server.break_after = etag, knows_ranges, [1_000_000]
    assert download(server.url, tmp_path / "file.gz", SHA1).read_bytes() == CONTENT


def test_a_kill_between_the_last_byte_and_the_move(server, tmp_path):
    (tmp_path / "file.gz.part").write_bytes(CONTENT)
    (tmp_path / "file.gz.part.version").write_text('"one"')
    assert download(server.url, tmp_path / "file.gz", SHA1).read_bytes() == CONTENT
    assert server.ranges == [f"bytes={len(CONTENT)}-"]


def test_a_part_that_is_too_long_is_fetched_anew(server, tmp_path):
    (tmp_path / "file.gz.part").write_bytes(CONTENT + b"more")
    (tmp_path / "file.gz.part.version").write_text('"one"')
    assert download(server.url, tmp_path / "file.gz", SHA1).read_bytes() == CONTENT


def test_another_file_than_the_published_is_removed(server, tmp_path):
    with pytest.raises(DataError, match=rf"sha1 {SHA1}, its publisher says 0{{40}}"):
        download(server.url, tmp_path / "file.gz", "0" * 40)
    assert "file.gz" not in names(tmp_path)
    assert "file.gz.part" not in names(tmp_path)


def test_a_file_that_is_not_there(server, tmp_path):
    with pytest.raises(DataError, match=r"none\.gz: HTTP 404 Not Found"):
        download(server.url.replace("file", "none"), tmp_path / "file.gz")


def test_no_server(tmp_path):
    with pytest.raises(DataError, match=r"cannot fetch http://127\.0\.0\.1:9/f .*refused"):
        download("http://127.0.0.1:9/f", tmp_path / "f")


def test_no_place(server, tmp_path):
    (tmp_path / "folder").write_text("a file")
    with pytest.raises(DataError, match="cannot write"):
        download(server.url, tmp_path / "folder" / "file.gz")


def test_the_published_sum_is_found_in_the_folder(server):
    server.files["/d/"] = b'<a href="../">up</a> <a href="list.sha1sum">list.sha1sum</a>'
    assert published_sha1(server.url) is None
    server.files["/d/list.sha1sum"] = f"{'1' * 40}  sub/other.gz\n{SHA1}  ./file.gz\n".encode()
    assert published_sha1(server.url) == SHA1
    server.files["/d/list.sha1sum"] = f"{'1' * 40}  other.gz\n".encode()
    assert published_sha1(server.url) is None


def test_a_folder_without_a_listing_publishes_no_sum(server):
    assert published_sha1(server.url) is None


def test_a_change_after_the_download_is_seen(server, tmp_path):
    path = download(server.url, tmp_path / "file.gz")
    demand_unchanged(path)
    path.write_bytes(CONTENT[:-1] + b"x")
    with pytest.raises(DataError, match="has changed since it was downloaded"):
        demand_unchanged(path)


def test_a_file_that_the_user_brought_is_not_looked_at(tmp_path):
    (tmp_path / "file.gz").write_bytes(b"anything")
    demand_unchanged(tmp_path / "file.gz")


@pytest.fixture
def archive(server, monkeypatch):
    """The three files of MaStar on the loopback server."""
    monkeypatch.setattr(mastar_files, "ARCHIVE", f"http://127.0.0.1:{server.server_port}/sas")
    wanted = (mastar_files.SUMMARY, parameter_file("goodvisits-v2"), mastar_files.SPECTRA)
    for file in wanted:
        folder = f"/sas/{file.folder}/" if file.folder else "/sas/"
        server.files[f"{folder}{file.name}"] = file.name.encode()
    return server


def test_only_missing_files_of_mastar_are_fetched(archive, tmp_path, caplog):
    (tmp_path / mastar_files.SUMMARY.name).write_bytes(b"mine")
    found = find_files(str(tmp_path), "goodvisits-v2", may_download=True)
    assert found.summary.read_bytes() == b"mine"
    assert found.parameters.read_bytes() == found.parameters.name.encode()
    assert found.spectra.read_bytes() == found.spectra.name.encode()
    assert caplog.text.count("only its size is checked") == 2
    assert find_files(str(tmp_path), "goodvisits-v2", may_download=False) == found


def test_a_wrong_sum_of_mastar(archive, tmp_path):
    name = mastar_files.SPECTRA.name
    archive.files["/sas/"] = b'<a href="dr17.sha1sum">dr17.sha1sum</a>'
    archive.files["/sas/dr17.sha1sum"] = f"{'a' * 40}  {name}\n".encode()
    with pytest.raises(DataError, match=r"its publisher says a{40}"):
        find_files(str(tmp_path), "goodvisits-v2", may_download=True)
    assert name not in names(tmp_path)


def test_the_files_of_mastar_lie_in_the_cache(archive, tmp_path, monkeypatch):
    monkeypatch.setenv("TORCHFIT_CACHE", str(tmp_path))
    found = find_files(None, "goodvisits-v2", may_download=True)
    assert found.spectra == tmp_path / "mastar" / mastar_files.SPECTRA.name
