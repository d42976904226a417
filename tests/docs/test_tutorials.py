"""The tutorials run from top to bottom, in a reduced form that their cells name."""

import json

import pytest
from printed_blocks import ROOT

NOTEBOOKS = {path.stem: path for path in sorted(ROOT.glob("docs/tutorials/*.ipynb"))}


@pytest.mark.slow
@pytest.mark.parametrize("name", NOTEBOOKS)
@pytest.mark.filterwarnings("default")  # of the machinery of notebooks
def test_a_tutorial_runs(name, tmp_path):
    import nbformat
    from nbclient import NotebookClient

    notebook = nbformat.read(NOTEBOOKS[name], as_version=4)
    changed = [cell for cell in notebook.cells if "quick" in cell.metadata]
    assert len(changed) == 1
    changed[0].source = changed[0].metadata["quick"]
    NotebookClient(notebook, timeout=120, resources={"metadata": {"path": str(tmp_path)}}).execute()


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_a_tutorial_is_kept_as_it_ran_without_errors_and_warnings(name):
    cells = json.loads(NOTEBOOKS[name].read_text(encoding="utf-8"))["cells"]
    code = [cell for cell in cells if cell["cell_type"] == "code"]
    assert [cell["execution_count"] for cell in code] == [*range(1, len(code) + 1)]
    assert "plt.rcParams.update(rc_params())" in "".join(code[0]["source"])  # in the house style
    outputs = [output for cell in code for output in cell["outputs"]]
    assert any("image/png" in output.get("data", {}) for output in outputs)
    assert not {each.get("name", each["output_type"]) for each in outputs} & {"error", "stderr"}
