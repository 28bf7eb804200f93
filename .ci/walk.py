"""Starts tack with the given arguments, says hi, orders something, and checks that the bot answered.

    python3 .ci/walk.py TACK [ARGUMENT ...]
"""

import json
import signal
import subprocess
import sys
import time
import urllib.request

tack = subprocess.Popen(
    [sys.argv[1], *sys.argv[2:], "--app-port", "0", "--workbench-port", "0", "--aws-port", "0"],
    stdout=subprocess.PIPE,
    text=True,
    env={},
)
slack = None
for line in tack.stdout:
    print(line, end="")
    if line.startswith("  Slack "):
        slack = line.split()[1]
        break
assert slack, "tack did not become ready"


def ask(path, body=None):
    data = json.dumps(body).encode() if body is not None else None
    request = urllib.request.Request(slack + path, data, {"content-type": "application/json"})
    with urllib.request.urlopen(request, timeout=20) as answer:
        return json.load(answer)


def act(**what):
    return ask("/sim/act", {"as": "Ada", **what})


def until(what, look):
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        if look():
            print("ok:", what)
            return
        time.sleep(0.05)
    sys.exit(f"did not happen: {what}")


def texts():
    return [message.get("text") for message in ask("/sim/messages?channel=playground")["messages"]]


try:
    act(act="say", channel="playground", text="hi")
    until("hi is answered", lambda: "hi, how are you?" in texts())
    act(act="command", channel="playground", text="/order 3")
    until("the modal is open", lambda: ask("/sim/views?user=Ada")["modals"])
    act(act="suggest", action_id="order_item", value="tea")
    bad = act(act="submit", values={"order_item": "tea-green", "order_quantity": "0"})
    assert bad["outcome"] == "errors" and list(bad["errors"]) == ["quantity"], bad
    print("ok: the modal shows its error")
    good = act(act="submit", values={"order_item": "tea-green", "order_quantity": "3"})
    assert good["outcome"] == "closed", good
    until("the order is posted", lambda: any("ordered 3" in (text or "") for text in texts()))
finally:
    tack.send_signal(signal.SIGINT)
    tack.wait(timeout=20)
