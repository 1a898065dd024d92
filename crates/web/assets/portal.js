// What pages gain where scripts run. Everything works without it.
"use strict";

// A form with data-check="ADDRESS" is checked as one types; the answer replaces its target.
for (const form of document.querySelectorAll("form[data-check]")) {
  const target = document.getElementById(form.dataset.target);
  let pending = 0;
  let busy = false;
  // One at a time: each answer carries the version that the next one is written over.
  const check = async () => {
    if (busy) { pending = setTimeout(check, 200); return; }
    busy = true;
    const body = new URLSearchParams(new FormData(form));
    const answer = await fetch(form.dataset.check, { method: "POST", body }).catch(() => null);
    if (answer?.ok) target.innerHTML = await answer.text();
    busy = false;
  };
  form.addEventListener("input", () => {
    clearTimeout(pending);
    pending = setTimeout(check, 400);
  });
  form.addEventListener("submit", () => clearTimeout(pending));
}

// An element with data-stream="ADDRESS" follows a job: its state, its output, its figures.
for (const live of document.querySelectorAll("[data-stream]")) {
  const logs = live.querySelectorAll("[data-log]");
  const parts = live.querySelectorAll("[data-part]");
  let refreshing = false;
  let again = false;
  const refresh = async () => {
    if (refreshing) { again = true; return; }
    refreshing = true;
    for (const part of parts) {
      const answer = await fetch(part.dataset.part).catch(() => null);
      if (answer?.ok) part.innerHTML = await answer.text();
    }
    await new Promise((resume) => setTimeout(resume, 1000));
    refreshing = false;
    if (again) { again = false; refresh(); }
  };
  const source = new EventSource(live.dataset.stream);
  source.addEventListener("state", (event) => {
    refresh();
    const state = JSON.parse(event.data);
    if (state.state === "ended") source.close();
  });
  source.addEventListener("metric", refresh);
  source.addEventListener("log", (event) => {
    const piece = JSON.parse(event.data);
    const log = [...logs].find((one) => one.dataset.log === piece.stream);
    if (!log) return;
    const known = Number(log.dataset.bytes);
    if (piece.offset < known) return;
    const atEnd = log.scrollTop + log.clientHeight >= log.scrollHeight - 8;
    log.append(piece.text);
    log.dataset.bytes = String(piece.next);
    if (atEnd) log.scrollTop = log.scrollHeight;
  });
}
