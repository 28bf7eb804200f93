// The pages work without this: they are forms and links. It only brings in what changed without losing what is typed, and adds keys.
(() => {
  "use strict";
  const stored = (name) => { try { return localStorage.getItem(name); } catch { return null; } };
  const store = (name, value) => { try { localStorage.setItem(name, value); } catch { /* a private window: not remembered */ } };
  const theme = stored("tack-theme");
  if (theme) document.documentElement.dataset.theme = theme;

  // ---- Bringing a fresh page into the one that is shown.
  const dirty = new WeakSet(); // controls that a person changed
  const key = (node) => node.nodeType === 1 ? node.id || node.dataset.id || node.dataset.viewId || "" : "";
  const alike = (a, b) => a.nodeType === b.nodeType && a.nodeName === b.nodeName && key(a) === key(b);
  const isKept = (node) => node.nodeType === 1 && "keep" in node.dataset; // the script's own
  const keepsOwn = (node, name) => (name === "open" && (node.nodeName === "DETAILS" || node.nodeName === "DIALOG"))
    || (name === "hidden" && node.role === "listbox") || name === "aria-busy";

  function attributes(now, next) {
    for (const { name, value } of [...next.attributes]) {
      if (now.getAttribute(name) === value || keepsOwn(now, name)) continue;
      now.setAttribute(name, value);
      if (dirty.has(now)) continue;
      if (name === "value" && "value" in now) now.value = value;
      if (name === "checked") now.checked = true;
      if (name === "selected" && !dirty.has(now.closest("select"))) now.selected = true;
    }
    for (const { name } of [...now.attributes]) {
      if (next.hasAttribute(name) || keepsOwn(now, name)) continue;
      now.removeAttribute(name);
      if (name === "checked" && !dirty.has(now)) now.checked = false;
      if (name === "selected" && !dirty.has(now.closest("select"))) now.selected = false;
    }
  }

  function morph(now, next) {
    if (now.nodeType !== 1) {
      if (now.nodeValue !== next.nodeValue) now.nodeValue = next.nodeValue;
      return;
    }
    if (isKept(now) || now.isEqualNode(next)) return;
    attributes(now, next);
    if (now.nodeName === "TEXTAREA") {
      if (!dirty.has(now) && now.defaultValue !== next.defaultValue) now.value = now.defaultValue = next.defaultValue;
      return;
    }
    const keyed = new Map();
    const wanted = new Set([...next.childNodes].map(key));
    for (const child of [...now.childNodes]) {
      if (!key(child)) continue;
      // What is gone goes first, so that nothing else has to move: what is moved loses the focus.
      if (wanted.has(key(child)) || isKept(child)) keyed.set(key(child), child); else child.remove();
    }
    let at = now.firstChild;
    for (const fresh of [...next.childNodes]) {
      const name = key(fresh);
      let match = name ? keyed.get(name) : at;
      while (!name && match && key(match)) match = match.nextSibling;
      if (match && alike(match, fresh)) {
        if (match === at) at = at.nextSibling; else now.insertBefore(match, at);
        morph(match, fresh);
      } else {
        now.insertBefore(document.importNode(fresh, true), at);
      }
    }
    while (at) {
      const gone = at;
      at = at.nextSibling;
      if (!isKept(gone)) gone.remove();
    }
  }

  let returnTo = null; // where the focus was before a modal opened
  function bring(text) {
    const next = new DOMParser().parseFromString(text, "text/html");
    const lists = [...document.querySelectorAll(".messages")].map((list) => [list, list.scrollHeight - list.scrollTop - list.clientHeight < 40]);
    const modal = document.querySelector("dialog[data-modal]");
    document.title = next.title;
    const focused = document.activeElement;
    for (const stale of next.body.querySelectorAll("time[datetime]")) localTime(stale);
    for (const dialog of next.body.querySelectorAll("dialog[data-modal]")) dialog.removeAttribute("open");
    morph(document.body, next.body);
    for (const [list, wasAtEnd] of lists) if (wasAtEnd && list.isConnected) list.scrollTop = list.scrollHeight;
    settle(modal, focused);
    clock();
  }

  function settle(before, focused) {
    const modal = document.querySelector("dialog[data-modal]");
    if (modal && !modal.matches(":modal")) {
      if (!before) returnTo = focused && focused.id ? focused.id : "text";
      modal.removeAttribute("open");
      modal.showModal();
      const field = modal.querySelector(".inside input:not([type=hidden]), .inside textarea, .inside select, .inside button");
      if (field) field.focus();
    }
    if (before && !modal) {
      const back = document.getElementById(returnTo) || document.getElementById("text");
      if (back) back.focus();
    }
    if (modal && before === modal && document.activeElement === document.body) {
      // What had the focus is gone.
      modal.querySelector(".inside input:not([type=hidden]), .inside textarea, .inside select, .inside button")?.focus();
    }
    const wrong = modal && modal.querySelector("[aria-invalid=true]");
    if (wrong && wrong.dataset.told !== "1") {
      wrong.dataset.told = "1";
      wrong.focus();
    }
  }

  function localTime(element) {
    const moment = new Date(element.getAttribute("datetime"));
    if (Number.isNaN(moment.getTime())) return;
    const parts = { hour: "2-digit", minute: "2-digit", hourCycle: "h23" };
    if (element.dataset.ms) Object.assign(parts, { second: "2-digit", fractionalSecondDigits: 3 });
    element.textContent = moment.toLocaleTimeString(undefined, parts);
  }

  // ---- Fetching the page anew when something changed.
  let fetching = false, again = false, paused = false;
  async function refresh() {
    if (fetching) { again = true; return; }
    fetching = true;
    const address = location.href;
    try {
      const answer = await fetch(address, { headers: { accept: "text/html" } });
      const text = await answer.text();
      // A form may have led elsewhere meanwhile.
      if (answer.ok && address === location.href) bring(text);
    } catch { /* the stream says when tack is gone */ }
    fetching = false;
    if (again) { again = false; refresh(); }
  }

  function isReading() {
    return document.querySelector("[data-live-pause]") && (paused || window.scrollY > 80 || getSelection().toString());
  }

  function changed(topics) {
    const page = document.getElementById("page");
    const wanted = page ? page.dataset.topics.split(" ") : [];
    if (!topics.some((topic) => topic === "hello" || topic === "all" || wanted.includes(topic))) return;
    const pill = document.querySelector("[data-new-pill]");
    if (pill && isReading() && !topics.includes("hello")) { pill.hidden = false; return; }
    refresh();
  }

  let wasLost = false, goneTimer = 0, source = null;
  // A browser gives one host six connections: a page that nobody looks at must not keep one.
  const disconnect = () => { clearTimeout(goneTimer); goneTimer = 0; if (source) source.close(); source = null; };
  const reconnect = () => { if (!source && !document.hidden) { connect(); refresh(); } };
  window.addEventListener("pagehide", disconnect);
  window.addEventListener("pageshow", (event) => { if (event.persisted) reconnect(); });
  document.addEventListener("visibilitychange", () => { if (document.hidden) disconnect(); else reconnect(); });
  function connect() {
    const chip = document.getElementById("live-chip");
    const say = (state, sign, words) => {
      if (!chip) return;
      chip.dataset.state = state;
      chip.querySelector(".sign").textContent = sign;
      chip.lastChild.textContent = ` ${words}`;
    };
    const own = source = new EventSource("/live");
    source.onopen = () => {
      clearTimeout(goneTimer);
      goneTimer = 0;
      document.body.classList.remove("is-gone");
      say("ok", "●", "connected");
    };
    source.onmessage = (event) => {
      // The first hello comes with the page itself.
      if (event.data === "hello" && !wasLost) return;
      wasLost = false;
      changed(event.data.split(" "));
    };
    source.onerror = () => {
      wasLost = true;
      if (!document.body.classList.contains("is-gone")) say("busy", "…", "reconnecting");
      // The browser tries again twice a second: the first failure counts.
      goneTimer = goneTimer || setTimeout(() => { document.body.classList.add("is-gone"); say("bad", "✗", "tack is gone"); }, 1500);
      if (own.readyState === EventSource.CLOSED) setTimeout(() => { if (source === own) connect(); }, 1000);
    };
  }

  // ---- Forms.
  const fieldsOf = (form, submitter, more) => {
    const fields = new FormData(form, more ? null : submitter);
    for (const [name, value] of more || []) fields.append(name, value);
    // Another tab may have become another person: the server refuses what this one did not mean.
    // Pages without a frame are nobody's.
    fields.append("as", document.getElementById("page")?.dataset.as || "");
    return fields;
  };

  const underWay = new WeakMap(); // by form: who pressed, and the end of it
  async function send(form, submitter, more, fields) {
    const before = underWay.get(form);
    // A double click is one click; anything else waits for its turn.
    if (before && submitter && before.submitter === submitter) return true;
    let end;
    const mine = { submitter, done: new Promise((done) => { end = done; }) };
    underWay.set(form, mine);
    if (before) await before.done;
    fields = fields || fieldsOf(form, submitter, more);
    const action = (submitter && submitter.getAttribute("formaction")) || form.getAttribute("action");
    (submitter || form).setAttribute("aria-busy", "true");
    try {
      const answer = await fetch(action, { method: "POST", body: new URLSearchParams(fields), headers: { accept: "text/html" } });
      const text = await answer.text();
      if (answer.status === 409) refresh();
      if (!answer.ok) { toast(new DOMParser().parseFromString(text, "text/html").querySelector("main p")?.textContent || text); return false; }
      const isElsewhere = new URL(answer.url).pathname !== location.pathname;
      if (isElsewhere) history.pushState(null, "", answer.url);
      bring(text);
      if (isElsewhere && !document.querySelector("dialog[data-modal]")) {
        const title = document.querySelector("h1");
        if (title) { title.tabIndex = -1; title.focus(); }
      }
      return true;
    } catch {
      toast("tack did not answer. Is it still running?");
      return false;
    } finally {
      if (underWay.get(form) === mine) underWay.delete(form);
      end();
      (submitter || form).removeAttribute("aria-busy");
    }
  }

  function toast(words) {
    let box = document.getElementById("toast");
    if (!box) {
      box = document.createElement("div");
      box.id = "toast";
      box.dataset.testid = "toast";
      box.dataset.keep = "";
      box.setAttribute("role", "alert");
    }
    // In front of a modal, not inert behind it.
    (document.querySelector("dialog:modal") || document.body).append(box);
    box.textContent = words;
    clearTimeout(toast.timer);
    toast.timer = setTimeout(() => box.remove(), 8000);
  }

  function confirmed(control) {
    if (!control || !("confirmTitle" in control.dataset)) return Promise.resolve(true);
    const { confirmTitle, confirmText, confirmYes, confirmNo, confirmStyle } = control.dataset;
    const dialog = document.createElement("dialog");
    dialog.dataset.testid = "confirm-dialog";
    dialog.dataset.keep = "";
    dialog.setAttribute("aria-label", confirmTitle || "Are you sure?");
    const part = (name, text, id, className) => {
      const element = document.createElement(name);
      element.textContent = text;
      if (id) element.dataset.testid = id;
      if (className) element.className = className;
      return element;
    };
    const no = part("button", confirmNo || "Cancel", "confirm-no");
    const yes = part("button", confirmYes || "Yes", "confirm-yes", confirmStyle === "danger" ? "danger" : "primary");
    const foot = document.createElement("div");
    foot.className = "foot";
    foot.append(no, yes);
    dialog.append(part("h2", confirmTitle || "Are you sure?"), part("p", confirmText || ""), foot);
    document.body.append(dialog);
    dialog.showModal();
    return new Promise((done) => {
      const end = (answer) => { dialog.remove(); done(answer); };
      yes.onclick = () => end(true);
      no.onclick = () => end(false);
      dialog.oncancel = (event) => { event.preventDefault(); end(false); };
    });
  }

  document.addEventListener("submit", async (event) => {
    const form = event.target;
    if (!("act" in form.dataset)) return;
    event.preventDefault();
    const submitter = event.submitter;
    if (!await confirmed(submitter)) return;
    if (submitter && submitter.dataset.url) window.open(submitter.dataset.url, "_blank", "noopener,noreferrer");
    const composer = form.querySelector("[data-composer]");
    if ("answerClock" in form.dataset) clock.start(event.timeStamp);
    const typed = composer && composer.value;
    const fields = fieldsOf(form, submitter);
    if (composer) { composer.value = ""; dirty.delete(composer); menu(composer); }
    const menuOpen = form.closest("details.menu");
    if (menuOpen) menuOpen.open = false;
    const worked = await send(form, submitter, null, fields);
    if (!worked && composer && !composer.value) composer.value = typed;
  });

  const timers = new WeakMap();
  function later(control, ms, what) {
    clearTimeout(timers.get(control));
    timers.set(control, setTimeout(() => { if (control.isConnected) what(); }, ms));
  }

  document.addEventListener("input", (event) => {
    const control = event.target;
    dirty.add(control.nodeName === "OPTION" ? control.closest("select") : control);
    if (control.hasAttribute("aria-invalid")) delete control.dataset.told;
    if ("composer" in control.dataset) menu(control);
    if ("suggest" in control.dataset && control.value.length >= Number(control.dataset.min || 0)) {
      later(control, 300, () => send(control.form, null, [["suggest", control.dataset.suggest]]));
    }
    if ((control.dataset.pressOn || "").includes("character")) {
      later(control, 300, () => send(control.form, null, [["press", control.dataset.press]]));
    }
  });

  document.addEventListener("change", async (event) => {
    const control = event.target;
    if ("submit" in control.dataset) { control.form.requestSubmit(); return; }
    if (!("press" in control.dataset) || "pressOn" in control.dataset) return;
    if (!await confirmed(control)) {
      dirty.delete(control);
      if (control.nodeName === "SELECT") for (const option of control.options) option.selected = option.defaultSelected;
      else if ("checked" in control && ["checkbox", "radio"].includes(control.type)) control.checked = control.defaultChecked;
      else control.value = control.defaultValue;
      return;
    }
    dirty.delete(control);
    send(control.form, null, [["press", control.dataset.press]]);
  });

  // ---- The composer: Enter sends, a slash opens the menu of commands.
  function menu(composer) {
    const list = document.getElementById(composer.dataset.commands || "");
    if (!list) return;
    const typed = composer.value;
    const options = [...list.querySelectorAll("[data-command]")];
    composer.removeAttribute("aria-activedescendant");
    for (const option of options) {
      option.hidden = !option.dataset.command.startsWith(typed.split(" ")[0]);
      option.removeAttribute("aria-selected");
    }
    list.hidden = !typed.startsWith("/") || typed.includes(" ") || options.every((option) => option.hidden);
  }

  function choose(composer, option) {
    composer.value = `${option.dataset.command} `;
    dirty.add(composer);
    menu(composer);
    composer.focus();
  }

  function composerKey(event, composer) {
    const list = document.getElementById(composer.dataset.commands || "");
    const options = list && !list.hidden ? [...list.querySelectorAll("[data-command]:not([hidden])")] : [];
    const at = options.findIndex((option) => option.getAttribute("aria-selected") === "true");
    if (options.length && (event.key === "ArrowDown" || event.key === "ArrowUp")) {
      const next = (at + (event.key === "ArrowDown" ? 1 : -1) + options.length) % options.length;
      options.forEach((option, index) => option.setAttribute("aria-selected", String(index === next)));
      composer.setAttribute("aria-activedescendant", options[next].id);
      options[next].scrollIntoView({ block: "nearest" });
      event.preventDefault();
    } else if (options.length && (event.key === "Tab" || (event.key === "Enter" && at >= 0))) {
      choose(composer, options[Math.max(at, 0)]);
      event.preventDefault();
    } else if (options.length && event.key === "Escape") {
      list.hidden = true;
    } else if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
      event.preventDefault();
      if (composer.value.trim()) composer.form.requestSubmit();
    }
  }

  // ---- Keys.
  const goTo = { s: "/", d: "/console/deliveries", l: "/console/dead-letters", i: "/console/installs", f: "/console/faults", k: "/console/listeners", a: "/console/app", h: "/console/help" };
  let gone = 0;
  document.addEventListener("keydown", (event) => {
    const at = event.target;
    if ("composer" in at.dataset) { composerKey(event, at); return; }
    if (event.key === "Enter" && (at.dataset.pressOn || "").includes("enter")) {
      event.preventDefault();
      send(at.form, null, [["press", at.dataset.press]]);
      return;
    }
    const dialog = at.closest && at.closest("dialog[data-modal]");
    if (dialog && event.key === "Enter" && (event.ctrlKey || event.metaKey)) dialog.querySelector("[data-testid=modal-submit]")?.click();
    if (event.key === "Escape") for (const open of document.querySelectorAll("details.menu[open]")) { open.open = false; open.querySelector("summary").focus(); }
    if (at.closest("input, textarea, select, [contenteditable], dialog") || event.ctrlKey || event.metaKey || event.altKey || stored("tack-keys") === "off") return;
    if (gone && goTo[event.key]) { location.href = goTo[event.key]; return; }
    clearTimeout(gone);
    gone = event.key === "g" ? setTimeout(() => { gone = 0; }, 1000) : 0;
    const rows = [...document.querySelectorAll("[data-row]")];
    const row = rows.findIndex((one) => one.contains(document.activeElement));
    if (rows.length && (event.key === "j" || event.key === "k")) {
      const next = rows[Math.min(rows.length - 1, Math.max(0, row + (event.key === "j" ? 1 : -1)))];
      (next.querySelector("a") || next).focus();
    } else if (event.key === "p" && document.querySelector("[data-live-pause]")) {
      paused = !paused;
      if (!paused) refresh();
    } else if (event.key === "?") {
      location.href = goTo.h;
    } else {
      const target = document.querySelector(`[data-key="${CSS.escape(event.key)}"]`);
      if (!target) return;
      if (target.matches("input, textarea, select")) target.focus(); else target.click();
    }
    event.preventDefault();
  });

  document.addEventListener("cancel", (event) => {
    if (!event.target.matches("dialog[data-modal]")) return;
    event.preventDefault();
    event.target.querySelector("[data-close]")?.click();
  }, true);

  document.addEventListener("click", (event) => {
    for (const open of document.querySelectorAll("details.menu[open]")) if (!open.contains(event.target)) open.open = false;
    const command = event.target.closest("[data-command]");
    if (command) { choose(document.querySelector("[data-composer][data-commands]"), command); return; }
    const toggle = event.target.closest("[data-theme-toggle]");
    if (toggle) {
      const isDark = getComputedStyle(document.documentElement).colorScheme === "dark"
        || (!document.documentElement.dataset.theme && matchMedia("(prefers-color-scheme: dark)").matches);
      document.documentElement.dataset.theme = isDark ? "light" : "dark";
      store("tack-theme", document.documentElement.dataset.theme);
    }
    const keys = event.target.closest("[data-keys-toggle]");
    if (keys) {
      store("tack-keys", stored("tack-keys") === "off" ? "on" : "off");
      keys.setAttribute("aria-pressed", String(stored("tack-keys") !== "off"));
    }
    const pill = event.target.closest("[data-new-pill]");
    if (pill) { pill.hidden = true; window.scrollTo(0, 0); refresh(); }
    const copy = event.target.closest("[data-copy]");
    if (copy) {
      const words = copy.textContent;
      navigator.clipboard.writeText(document.querySelector(copy.dataset.copy).textContent)
        .then(() => { copy.textContent = "Copied"; setTimeout(() => { copy.textContent = words; }, 1500); })
        .catch(() => toast("The browser does not let this page copy: select the text and copy it."));
    }
  });

  // ---- How long a person waits: from the key press until the app's answer is on the screen.
  const newest = () => [...document.querySelectorAll("article.message.app")].map((one) => one.dataset.id).sort().pop() || "";
  function clock() {
    if (!clock.since || newest() <= clock.last) return;
    const since = clock.since;
    clock.since = 0;
    requestAnimationFrame(() => {
      const body = JSON.stringify({ ms: Math.round(performance.now() - since) });
      fetch("/console/answer-times", { method: "POST", headers: { "content-type": "application/json" }, body }).catch(() => {});
    });
  }
  clock.start = (since) => { clock.since = since; clock.last = newest(); setTimeout(() => { if (clock.since === since) clock.since = 0; }, 5000); };

  document.addEventListener("DOMContentLoaded", () => {
    for (const time of document.querySelectorAll("time[datetime]")) localTime(time);
    for (const list of document.querySelectorAll(".messages")) list.scrollTop = list.scrollHeight;
    for (const dialog of document.querySelectorAll("dialog[data-modal]")) dialog.removeAttribute("open");
    settle(null, null);
    // Not on a narrow screen, where it would open the keyboard and scroll the page.
    if (matchMedia("(min-width: 700px)").matches && !document.querySelector("dialog[data-modal]")) document.getElementById("text")?.focus({ preventScroll: true });
    connect();
  });
  window.addEventListener("popstate", refresh);
})();
