"""Addresses of files in the public bucket of MAST on AWS.

The paths are those of astroquery's cloud access. Its further package, boto3, is not needed, since the bucket is open to
plain requests; boto3 1.44 needs an older python-dateutil than pandas 3.1.
"""

from collections.abc import Sequence

import requests

# `stpubdata` in astroquery.mast.cloud, version 0.4.11, which gives the same address for a file.
BUCKET = "https://s3.amazonaws.com/stpubdata"


def cloud_urls(uris: Sequence[str], session: requests.Session) -> tuple[dict[str, str], str | None]:
    """(URI of MAST -> address in the public bucket, of the files that are there; a warning or None).

    If the bucket cannot be asked, all files are left to MAST, with a warning.
    """
    from astroquery.mast.utils import mast_relative_path

    found: dict[str, str] = {}
    try:
        for uri, path in zip(uris, mast_relative_path(list(uris), verbose=False), strict=True):
            url = f"{BUCKET}/{path}"
            if path and session.head(url, allow_redirects=True).status_code == requests.codes.ok:
                found[uri] = url
    except Exception as error:  # requests, json and astroquery raise errors of many kinds
        reason = " ".join(f"{type(error).__name__}: {error}".split())
        return {}, f"the public bucket cannot be asked ({reason}); the files come from MAST itself"
    return found, None
