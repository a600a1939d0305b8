"""A worker is ours, whatever lies where the sidecar is started."""

from sidecar.spawn import spawn


def test_a_worker_loads_no_module_from_the_folder_it_is_started_in(tmp_path, monkeypatch):
    for name in ("sidecar", "attest", "evidence", "orjson"):
        (tmp_path / f"{name}.py").write_text("raise SystemExit(7)")
    monkeypatch.chdir(tmp_path)
    process = spawn()
    process.stdin.close()
    status = process.wait(60)
    process.stdout.close()

    assert status == 0
