"""What the README types into a notebook runs as it stands there."""

import re
import shutil

from tests.integration.running import ROOT

from torchfit import __version__


def test_the_session_of_the_readme(artefact, tmp_path, monkeypatch, capsys):
    text = (ROOT / "README.md").read_text()
    (session,) = (
        block
        for block in re.findall(r"^```python\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
        if "tf.load_emulator" in block
    )
    miles = tmp_path / "emulators" / f"miles-{__version__}" / "emulator"
    shutil.copytree(artefact, miles)
    monkeypatch.setenv("TORCHFIT_CACHE", str(tmp_path))
    names = {}
    exec(session, names)
    assert names["result"].teff > 0
    assert capsys.readouterr().out.split()[0] == str(names["result"].teff)
