"""What the README types into a notebook runs as it stands there."""

import re
import shutil

import matplotlib as mpl
from tests.integration.running import ROOT


def test_the_session_of_the_readme(artefact, tmp_path, monkeypatch, capsys):
    text = (ROOT / "README.md").read_text()
    (session,) = (
        block
        for block in re.findall(r"^```python\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
        if "tf.load_emulator" in block
    )
    shutil.copytree(artefact, tmp_path / "outputs" / "train" / "miles" / "emulator")
    monkeypatch.chdir(tmp_path)
    mpl.use("Agg")
    names = {}
    exec(session, names)
    assert names["result"].teff > 0
    assert capsys.readouterr().out.split()[0] == str(names["result"].teff)
    assert names["table"]["name"][0] == "model of the Sun"
    assert len(names["axes"].lines) > 0
