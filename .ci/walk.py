"""Starts tack with the given arguments, says hi, orders something, and checks that the bot answered; installs the app into a
second workspace by its own pages, where it answers too, and no more after it was uninstalled.

    python3 .ci/walk.py TACK [ARGUMENT ...]
"""

import json
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request

tack = subprocess.Popen(
    [sys.argv[1], *sys.argv[2:], "--app-port", "0", "--workbench-port", "0", "--aws-port", "0"],
    stdout=subprocess.PIPE,
    text=True,
    env={},
)
slack = install = None
for line in tack.stdout:
    print(line, end="")
    if line.startswith("  Slack "):
        slack = line.split()[1]
    if line.startswith("  Install "):
        install = line.split()[1]
        break
assert slack and install, "tack did not become ready, or has no install pages"


def ask(path, body=None):
    data = json.dumps(body).encode() if body is not None else None
    request = urllib.request.Request(slack + path, data, {"content-type": "application/json"})
    with urllib.request.urlopen(request, timeout=20) as answer:
        return json.load(answer)


def act(person="ada", **what):
    return ask("/sim/act", {"as": person, **what})


def until(what, look):
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        if look():
            print("ok:", what)
            return
        time.sleep(0.05)
    sys.exit(f"did not happen: {what}")


def texts(channel="playground"):
    return [message.get("text") for message in ask(f"/sim/messages?channel={channel}")["messages"]]


class Stay(urllib.request.HTTPRedirectHandler):
    """Slack's consent page is where this browser would go, and a person."""

    def redirect_request(self, *_):
        return None


def page(url, cookies=""):
    """Status, headers and text of a page; nobody is sent on."""
    request = urllib.request.Request(url, headers={"cookie": cookies} if cookies else {})
    try:
        with urllib.request.build_opener(Stay).open(request, timeout=20) as answer:
            return answer.status, answer.headers, answer.read().decode()
    except urllib.error.HTTPError as answer:
        return answer.code, answer.headers, answer.read().decode()


def begin():
    """A browser begins to install: what the app asks Slack for, and the browser's cookies."""
    status, headers, _ = page(install + "?direct=1")
    assert status == 302, (status, headers)
    query = urllib.parse.urlsplit(headers["location"]).query
    return query, "; ".join(cookie.split(";")[0] for cookie in headers.get_all("set-cookie"))


def install_into(team, person):
    query, cookies = begin()
    back = ask("/sim/oauth/allow", {"query": query, "as": person, "team": team})["redirect"]
    status, _, text = page(back, cookies)
    assert status == 200, (status, text)
    status, _, _ = page(back, cookies)
    assert status == 400, f"a state works once: {status}"


def greetings():
    return [text for text in texts("C0GLOBGEN") if text == "hi, how are you?"]


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

    install_into("T0GLOBEX1", "hank")
    act("hank", act="say", channel="C0GLOBGEN", text="hi")
    until("hi is answered in the second workspace", greetings)
    teams = {call["team"] for call in ask("/sim/calls")["calls"] if call["method"] == "chat.postMessage"}
    assert teams == {"T0ACME001", "T0GLOBEX1"}, teams
    print("ok: each workspace with its own token")
    query, cookies = begin()
    status, _, text = page(ask("/sim/oauth/deny", {"query": query})["redirect"], cookies)
    assert status == 400, (status, text)
    print("ok: who says no gets a page")
    act("hank", act="uninstall")
    installs = {one["id"] for one in ask("/sim/installs")["installs"]}
    assert installs == {"T0ACME001"}, installs
    act(act="say", channel="playground", text="hi")
    until("the first workspace is as before", lambda: texts().count("hi, how are you?") == 2)
finally:
    tack.send_signal(signal.SIGINT)
    tack.wait(timeout=20)
