"""Saves a changed listener while `cargo run` runs, then a broken one, then a mended one, and says how long each took.

    python3 .ci/reload.py

Works on a copy of the sources and of the build, so that nothing here changes.
"""

import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import time
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parent.parent
COPY = ROOT / "target" / "reload"
LISTENER = COPY / "shared" / "listeners" / "src" / "messages" / "sample_message.rs"
# What a person may wait; the machine that runs the checks may be busy.
LIMIT_S = 10
PATIENCE_S = 120

shutil.rmtree(COPY, ignore_errors=True)
for name in subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split():
    target = COPY / name
    target.parent.mkdir(parents=True, exist_ok=True)
    # With its time of change: cargo then finds the copied build fresh.
    shutil.copy2(ROOT / name, target)
built = COPY / "target" / "debug"
for part in ("deps", ".fingerprint", "build"):
    subprocess.run(["mkdir", "-p", built], check=True)
    subprocess.run(["cp", "-a", ROOT / "target" / "debug" / part, built / part], check=True)

environment = {name: os.environ[name] for name in ("HOME", "PATH", "CARGO_HOME", "RUSTUP_HOME") if name in os.environ}
ports = ["--app-port", "0", "--workbench-port", "0", "--aws-port", "0"]
tack = subprocess.Popen(
    ["cargo", "run", "--quiet", "--", *ports], cwd=COPY, env=environment, stdout=subprocess.PIPE, text=True
)
slack = None
for line in tack.stdout:
    print(line, end="")
    if line.startswith("  Slack "):
        slack = line.split()[1]
    if "Save a listener" in line:
        break
    if "No reload" in line:
        sys.exit("it does not watch the sources")
assert slack, "tack did not become ready"


def ask(path, body=None):
    data = json.dumps(body).encode() if body is not None else None
    headers = {"content-type": "application/json", "accept": "application/json"}
    with urllib.request.urlopen(urllib.request.Request(slack + path, data, headers), timeout=20) as answer:
        return json.load(answer)


def build():
    return ask("/console/app")["build"]


def until(what, look):
    began = time.monotonic()
    while time.monotonic() - began < PATIENCE_S:
        if look():
            took = time.monotonic() - began
            print(f"ok: {what} ({took:.1f} s)")
            return took
        time.sleep(0.05)
    sys.exit(f"did not happen: {what}\n{json.dumps(build(), indent=1)[:3000]}")


def says(words):
    ask("/sim/act", {"as": "Ada", "act": "say", "channel": "playground", "text": "hi"})
    newest = lambda: ask("/sim/messages?channel=playground")["messages"][-1]["text"]
    until(f"the bot says {words!r}", lambda: newest() == words)


def save(text):
    LISTENER.write_text(text)
    os.utime(LISTENER)


original = LISTENER.read_text()
changed = original.replace(", how are you?", ", that was quick!")
assert changed != original
try:
    until("it watches", lambda: build()["watching"]["is"] == "on")
    says("hi, how are you?")
    deliveries = ask("/console/deliveries")["total"]
    save(changed)
    took = until("the changed listener serves", lambda: build()["serving"]["build"] == 2)
    says("hi, that was quick!")
    assert ask("/console/deliveries")["total"] > deliveries, "the history was lost"
    save(changed + "\nfn broken( {")
    until("the broken build is told of", lambda: build()["state"]["is"] == "broken")
    says("hi, that was quick!")
    save(original)
    until("the mended listener serves", lambda: build()["state"]["is"] == "live" and build()["serving"]["build"] == 3)
    says("hi, how are you?")
    print(f"from the save to the new code: {took:.1f} s of {LIMIT_S}")
    if took > 3 * LIMIT_S:
        sys.exit("that is far too long, even for a busy machine")
finally:
    tack.send_signal(signal.SIGINT)
    tack.wait(timeout=30)
    shutil.rmtree(COPY, ignore_errors=True)
