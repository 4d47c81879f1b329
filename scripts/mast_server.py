"""Serve the raw files of a folder as MAST does, on this machine only, to try `snakemake fetch` without a network.

python scripts/mast_server.py FOLDER --port 8040

and in the configuration: `mast: {server: "http://127.0.0.1:8040"}`. Files that are added to the folder are served at
once. The files that match --closed need the token --token, as files that are not public do.
"""

import argparse
import contextlib
import fnmatch
from pathlib import Path

from badpix.simulate.archive_server import ArchiveServer


def main(folder: Path, port: int, token: str, closed: str | None) -> None:
    """Serve `folder` until an interrupt."""
    with ArchiveServer(folder, port, token) as server:
        names = server.files()
        server.closed = set(fnmatch.filter(names, closed)) if closed else set()
        print(f"{len(names)} raw files of {folder} at {server.url} (end with Ctrl-C)", flush=True)
        with contextlib.suppress(KeyboardInterrupt):
            server.serve_forever()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="folder with *_uncal.fits at any depth")
    parser.add_argument("--port", type=int, default=8040, help="port of this machine (8040)")
    parser.add_argument("--token", default="", help="token of the files of --closed")
    parser.add_argument("--closed", help="pattern of the names of files that need the token")
    arguments = parser.parse_args()
    if not arguments.folder.is_dir():
        parser.error(f"{arguments.folder} is no folder")
    main(arguments.folder, arguments.port, arguments.token, arguments.closed)
