// The console's live parts: a stream brings the page's parts as HTML, rendered by the
// server; those that differ are put in place. The law: what the reader points at, has
// selected or types into is never taken away.
"use strict";

const language = document.documentElement.lang;
const counted = new Intl.RelativeTimeFormat(language, { numeric: "always" });
const named = new Intl.RelativeTimeFormat(language, { numeric: "auto" }); // "yesterday"
const absolute = new Intl.DateTimeFormat(language, { dateStyle: "medium", timeStyle: "short" });
const SPANS = [["year", 31557600], ["month", 2629800], ["day", 86400], ["hour", 3600], ["minute", 60]];

function ago(date) {
  const seconds = (date - Date.now()) / 1000;
  for (const [unit, size] of SPANS) {
    const format = unit === "day" ? named : counted;
    if (Math.abs(seconds) >= size) return format.format(Math.trunc(seconds / size), unit);
  }
  return document.body.dataset.agoNow;
}

function tellTimes(root) {
  for (const time of root.querySelectorAll("time[data-ago]")) {
    const date = new Date(time.dateTime);
    const text = ago(date);
    if (time.textContent !== text) time.textContent = text;
    time.title = absolute.format(date);
  }
}

const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;

function tellWhen(root) {
  for (const time of root.querySelectorAll("time[data-when]")) {
    time.textContent = absolute.format(new Date(time.dateTime));
  }
}

// A form of times: shown and typed in the reader's own zone, sent with it said.
function ownTimes(form) {
  for (const field of form.querySelectorAll("[data-at]")) {
    const date = new Date(field.dataset.at);
    field.value = new Date(date - date.getTimezoneOffset() * 60000).toISOString().slice(0, 16);
  }
  for (const told of form.querySelectorAll("[data-zone]")) told.textContent = zone;
  form.addEventListener("formdata", (event) => {
    for (const field of form.querySelectorAll("input[type=datetime-local]")) {
      if (field.value) event.formData.set(field.name, new Date(field.value).toISOString());
      else event.formData.delete(field.name);
    }
  });
}

function busy(part) {
  const selection = document.getSelection();
  return part.contains(document.activeElement)
    || (selection && !selection.isCollapsed && selection.containsNode(part, true));
}

const shown = new Map(); // what the server sent of each part, before times were told

function markNew(part, before) {
  const known = new Set([...before.querySelectorAll("li[id]")].map((line) => line.id));
  if (!known.size) return;
  for (const line of part.querySelectorAll("li[id]")) {
    if (!known.has(line.id)) line.classList.add("new");
  }
}

function putParts(html) {
  const template = document.createElement("template");
  template.innerHTML = html;
  for (const part of template.content.querySelectorAll("[data-part]")) {
    const before = document.getElementById(part.id);
    const source = part.outerHTML;
    if (!before || shown.get(part.id) === source || busy(before)) continue;
    shown.set(part.id, source);
    markNew(part, before);
    tellTimes(part);
    before.replaceWith(part);
  }
}

function listen(path, pulse) {
  const stream = new EventSource(path);
  const say = (state) => {
    pulse.hidden = false;
    pulse.className = `pulse ${state}`;
    pulse.textContent = state === "on" ? pulse.dataset.live : pulse.dataset.lost;
  };
  stream.addEventListener("open", () => say("on"));
  stream.addEventListener("parts", (event) => putParts(event.data));
  stream.addEventListener("error", () => {
    say("lost");
    // The browser comes again by itself, save after an answer that is no stream: logged out.
    if (stream.readyState === EventSource.CLOSED) setTimeout(() => location.reload(), 5000);
  });
}

document.addEventListener("keydown", (event) => {
  const field = document.getElementById("q");
  const typing = event.target.closest("input, textarea, select");
  if (event.key === "/" && field && !typing && !event.ctrlKey && !event.metaKey) {
    event.preventDefault();
    field.focus();
    field.select();
  }
});

tellTimes(document);
tellWhen(document);
document.querySelectorAll("form[data-times]").forEach(ownTimes);
setInterval(() => tellTimes(document), 10000);
const main = document.getElementById("main");
if (main.dataset.stream) listen(main.dataset.stream, document.querySelector("[data-pulse]"));
