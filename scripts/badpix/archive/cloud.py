"""Addresses of files in the public bucket of MAST on AWS, through astroquery's cloud access."""

import os
from collections.abc import Sequence

from badpix.archive.request import FetchError

S3 = "https://s3.amazonaws.com"


def cloud_urls(uris: Sequence[str]) -> dict[str, str]:
    """URI of MAST -> address in the public bucket, for the files that are there.

    FetchError if boto3 is missing or the bucket cannot be reached. The variable AWS_ENDPOINT_URL of boto3 names another
    server than that of AWS.
    """
    from astroquery.mast import ObservationsClass

    try:
        observations = ObservationsClass()
        observations.enable_cloud_dataset(verbose=False)
        # A file that is missing in the bucket is None.
        found = observations.get_cloud_uris(list(uris), return_uri_map=True, verbose=False)
    except ImportError as error:
        raise FetchError(f"mast.cloud: true needs the package boto3 ({error}); install it, or set false") from None
    except Exception as error:  # botocore, requests and astroquery raise errors of many kinds
        raise FetchError(f"mast.cloud: the public bucket cannot be asked: {type(error).__name__}: {error}") from error
    server = os.environ.get("AWS_ENDPOINT_URL", S3).rstrip("/")
    return {uri: f"{server}/{path.removeprefix('s3://')}" for uri, path in (found or {}).items() if path}
