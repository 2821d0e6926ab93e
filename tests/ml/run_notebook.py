"""Run a notebook in the interpreter that runs this: python run_notebook.py BEFORE AFTER FOLDER."""

import sys
from pathlib import Path

import nbformat
from jupyter_client.kernelspec import KernelSpec
from jupyter_client.manager import AsyncKernelManager
from nbclient import NotebookClient


class OurKernel(AsyncKernelManager):
    """This very interpreter, so that no kernel need be registered in anybody's home.

    It listens on the loopback address only: that is the manager's own default.
    """

    @property
    def kernel_spec(self):
        return KernelSpec(
            argv=[sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
        )


def main():
    before, after, folder = sys.argv[1:]
    notebook = nbformat.read(before, as_version=4)
    manager = OurKernel(connection_file=str(Path(after).with_suffix(".kernel.json")))
    resources = {"metadata": {"path": folder}}
    NotebookClient(notebook, km=manager, timeout=600, resources=resources).execute()
    nbformat.write(notebook, after)


if __name__ == "__main__":
    main()
