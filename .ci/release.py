"""Looks at the release functions: size, and that each holds its own half of the app only.

    python3 .ci/release.py INGRESS WORKER
"""

import sys
import zlib
from pathlib import Path

MB = 1_000_000
# What the worker must hold and the ingress must not.
LAZY = {
    "a lazy listener": b" ordered ",
    "the Web API client": b"the address or the token cannot be sent",
    "DynamoDB": b"DynamoDB_20120810",
}

ingress, worker = (Path(path).read_bytes() for path in sys.argv[1:3])
failed = False
for name, binary, most in (("ingress", ingress, 3.0), ("worker", worker, 4.5)):
    zipped = len(zlib.compress(binary, 9)) / MB
    good = zipped <= most
    failed |= not good
    print(f"{name}: {len(binary) / MB:.2f} MB, {zipped:.2f} MB zipped (at most {most}) {'ok' if good else 'TOO LARGE'}")
for what, word in LAZY.items():
    good = word in worker and word not in ingress
    failed |= not good
    print(f"{what}: in the worker {word in worker}, in the ingress {word in ingress} {'ok' if good else 'WRONG'}")
for word in (b"jent_", b"aws_lc_"):
    if word in ingress or word in worker:
        failed = True
        print(f"{word.decode()}: linked, see .cargo/config.toml")
sys.exit(failed)
