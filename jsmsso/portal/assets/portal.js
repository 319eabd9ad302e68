// What a page of the portal does better with a script. Everything works without it.
"use strict";
const all = (query, from = document) => [...from.querySelectorAll(query)];
const later = (act, ms, timer) => () => { clearTimeout(timer); timer = setTimeout(act, ms); };

// Times in the browser's zone, where nobody told the server which is the customer's.
function times() {
  if (!("guessedZone" in document.documentElement.dataset)) return;
  const lang = document.documentElement.lang, language = lang === "en" ? "en-GB" : lang;
  const say = (when, options) => new Intl.DateTimeFormat(language, { hour: "2-digit", minute: "2-digit", hourCycle: "h23", ...options }).format(when);
  const exact = { day: "numeric", month: "short", year: "numeric", timeZoneName: "short" };
  for (const one of all("time[data-time]")) {
    const when = new Date(one.dateTime), kind = one.dataset.time;
    if (kind === "exact") one.textContent = say(when, exact);
    else one.title = say(when, exact);
    if (kind === "moment") {
      const days = Math.round((new Date().setHours(0, 0, 0, 0) - new Date(when).setHours(0, 0, 0, 0)) / 864e5);
      const near = new Intl.RelativeTimeFormat(lang, { numeric: "auto" });
      one.textContent = days === 0 || days === 1 ? near.format(-days, "day") + ", " + say(when) : say(when, { day: "numeric", month: "short" });
    }
  }
  const zone = document.querySelector("[data-zone]");
  if (zone) zone.textContent = Intl.DateTimeFormat().resolvedOptions().timeZone;
}

// Search as you type, over what is on the page: no question to anybody.
function filter(input) {
  const said = document.getElementById(input.dataset.filters);
  const look = () => {
    const words = input.value.toLocaleLowerCase().split(/\s+/).filter(Boolean);
    let found = 0;
    for (const group of all("[data-group]")) {
      let here = 0;
      for (const one of all("[data-words]", group)) {
        const text = one.dataset.words.toLocaleLowerCase();
        one.hidden = !words.every((word) => text.includes(word));
        here += !one.hidden;
      }
      group.hidden = !here;
      found += here;
    }
    said.textContent = !words.length ? "" : found ? said.dataset.some.replace("0", found) : said.dataset.none;
  };
  input.addEventListener("input", look);
  if (input.value) look();
}

// Answers that fit what is being typed: only where the portal has a knowledge base for everybody.
function suggest(input) {
  const box = document.getElementById(input.dataset.answers);
  let asked = "";
  input.addEventListener("input", later(async () => {
    const words = input.value.trim();
    if (words.length < 4 || words === asked) return;
    asked = words;
    const answer = await fetch(input.dataset.from + encodeURIComponent(words)).catch(() => null);
    if (answer && answer.ok && asked === words) box.innerHTML = await answer.text();
  }, 400));
}

// One click, one request; files with their progress.
function once(form) {
  form.addEventListener("submit", (event) => {
    if (form.dataset.sent) return event.preventDefault();
    form.dataset.sent = "yes";
    if (!all("input[type=file]", form).some((one) => one.files.length)) return;
    event.preventDefault();
    upload(form, event.submitter);
  });
}

function upload(form, button) {
  const bar = document.createElement("progress"), ask = new XMLHttpRequest(), body = new FormData(form);
  bar.max = 1;
  bar.setAttribute("aria-label", form.dataset.sending || "");
  form.append(bar);
  if (button && button.name) body.append(button.name, button.value);
  let uploaded = false;
  const failed = () => {
    bar.remove();
    delete form.dataset.sent;
    if (uploaded) form.submit(); // the answer leads to another site, as a login does: that is the browser's to follow
    else alert(form.dataset.failed || "");
  };
  ask.upload.onprogress = (event) => { bar.value = event.loaded / event.total; };
  ask.upload.onload = () => { uploaded = true; bar.removeAttribute("value"); };
  ask.onerror = failed;
  ask.onload = () => {
    if (ask.status === 401) return failed();
    if (ask.status < 300 && ask.responseURL.split("#")[0] !== form.action) return location.assign(ask.responseURL);
    const page = new DOMParser().parseFromString(ask.responseText, "text/html");
    document.title = page.title;
    document.body.replaceWith(page.body);
    start();
    (document.getElementById("wrong") || document.getElementById("main") || document.body).focus();
  };
  ask.open("POST", form.action);
  ask.send(body);
}

// New comments, while somebody looks at the page.
function follow(list) {
  const look = async () => {
    if (document.hidden || !list.isConnected) return;
    const known = all("[data-comment]", list).map((one) => +one.dataset.comment);
    const answer = await fetch(list.dataset.updates + "?after=" + Math.max(0, ...known)).catch(() => null);
    if (!answer || !answer.ok || answer.redirected) return;
    const part = document.createElement("template");
    part.innerHTML = await answer.text();
    for (const one of all("[data-comment]", part.content)) if (!known.includes(+one.dataset.comment)) list.append(one);
    times();
  };
  setInterval(look, 20000);
  document.addEventListener("visibilitychange", look);
}

// Going back and reloading send nothing again; a form keeps its key.
function remember() {
  const keys = all("form[enctype]:not([data-again]) [name=once]"), known = history.state || [];
  if (!keys.length) return;
  keys.forEach((one, i) => { one.value = known[i] || one.value; });
  history.replaceState(keys.map((one) => one.value), "", location.pathname.replace(/\/[a-z]+$/, "") + location.search + location.hash);
}

function start() {
  remember();
  times();
  all("input[data-filters]").forEach(filter);
  all("input[data-answers]").forEach(suggest);
  all("form[method=post]").forEach(once);
  all("[data-updates]").forEach(follow);
}

start();
addEventListener("pageshow", () => all("form[data-sent]").forEach((form) => { delete form.dataset.sent; }));
